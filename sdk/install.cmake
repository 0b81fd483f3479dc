# What `cmake --install` gives a plugin author: headers, libraries, the version script, pkg-config
# files and the CMake package. All of it can be moved to another prefix.
include(CMakePackageConfigHelpers)

file(STRINGS include/salvor/plugin.h _abi REGEX "^#define SALVOR_ABI_(MAJOR|MINOR) ")
string(REGEX REPLACE ".*MAJOR ([0-9]+)u.*MINOR ([0-9]+)u.*" "\\1.\\2" SALVOR_PLUGIN_ABI "${_abi}")
set(SALVOR_PLUGIN_ABI ${SALVOR_PLUGIN_ABI} PARENT_SCOPE)
if(NOT SALVOR_PLUGIN_ABI MATCHES "^[0-9]+\\.[0-9]+$")
  message(FATAL_ERROR "cannot read the ABI version from sdk/include/salvor/plugin.h")
endif()
set(SALVOR_SDK_DATA ${CMAKE_INSTALL_DATADIR}/salvor)
set(_package ${CMAKE_INSTALL_LIBDIR}/cmake/SalvorPlugin)
file(RELATIVE_PATH SALVOR_PC_TO_PREFIX /p/${CMAKE_INSTALL_LIBDIR}/pkgconfig /p)

configure_file(salvor-plugin.pc.in salvor-plugin.pc @ONLY)
configure_file(salvor-plugin-archive.pc.in salvor-plugin-archive.pc @ONLY)
configure_package_config_file(cmake/SalvorPluginConfig.cmake.in SalvorPluginConfig.cmake
  INSTALL_DESTINATION ${_package} PATH_VARS SALVOR_SDK_DATA CMAKE_INSTALL_BINDIR)
write_basic_package_version_file(SalvorPluginConfigVersion.cmake COMPATIBILITY SameMinorVersion)

set_target_properties(salvor-sdk PROPERTIES EXPORT_NAME sdk)
set_target_properties(salvor-plugin PROPERTIES EXPORT_NAME plugin)
set_target_properties(salvor-plugin-archive PROPERTIES EXPORT_NAME plugin-archive)
install(TARGETS salvor-sdk salvor-plugin EXPORT SalvorPluginTargets COMPONENT sdk
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS salvor-plugin-archive EXPORT SalvorPluginArchiveTargets COMPONENT sdk
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT SalvorPluginTargets NAMESPACE Salvor:: DESTINATION ${_package} COMPONENT sdk)
install(EXPORT SalvorPluginArchiveTargets NAMESPACE Salvor:: DESTINATION ${_package} COMPONENT sdk)
install(DIRECTORY include/salvor DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT sdk)
install(FILES cmake/plugin.map DESTINATION ${SALVOR_SDK_DATA} COMPONENT sdk)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/salvor-plugin.pc
              ${CMAKE_CURRENT_BINARY_DIR}/salvor-plugin-archive.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT sdk)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/SalvorPluginConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/SalvorPluginConfigVersion.cmake
              cmake/SalvorAddPlugin.cmake
        DESTINATION ${_package} COMPONENT sdk)
install(DIRECTORY template DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT sdk)

# salvor_add_plugin(NAME SOURCES… [ARCHIVE] [LIBRARIES …])
#
# Adds the provider plugin NAME ([a-z][a-z0-9-]*) as target salvor-plugin-NAME, file
# salvor_<name>.so, exporting its entry function only, with all symbols resolved, and with its
# descriptor as an ELF note. ARCHIVE links the archive reader (libarchive, zlib). The same function
# builds the plugins of the tree and, through find_package(SalvorPlugin), everybody else's.
#
# Read: SALVOR_PLUGIN_MAP (version script), SALVOR_PROGRAM (target or path of the salvor program
# that writes the note; unset: no note), SALVOR_PLUGIN_DIR (where it is installed).
function(salvor_add_plugin name)
  cmake_parse_arguments(arg "ARCHIVE" "" "LIBRARIES" ${ARGN})
  if(NOT name MATCHES "^[a-z][a-z0-9-]*$")
    message(FATAL_ERROR "'${name}' is no plugin name: a letter, then letters, digits and hyphens")
  endif()
  if(NOT arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "salvor_add_plugin(${name}) names no source")
  endif()
  string(REPLACE "-" "_" module ${name})
  set(target salvor-plugin-${name})

  add_library(${target} MODULE ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(${target} PRIVATE
    Salvor::plugin $<$<BOOL:${arg_ARCHIVE}>:Salvor::plugin-archive> ${arg_LIBRARIES})
  set_target_properties(${target} PROPERTIES
    PREFIX "" OUTPUT_NAME salvor_${module} SUFFIX ".so"
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins
    LINK_DEPENDS ${SALVOR_PLUGIN_MAP})
  target_link_options(${target} PRIVATE
    -Wl,-z,now -Wl,-z,relro -Wl,--build-id -Wl,--exclude-libs,ALL
    -Wl,--version-script=${SALVOR_PLUGIN_MAP})
  # The runtime of a sanitizer is resolved when salvor itself brings it.
  if(NOT SALVOR_SANITIZE)
    target_link_options(${target} PRIVATE -Wl,-z,defs)
  endif()

  if(TARGET "${SALVOR_PROGRAM}")
    add_custom_command(TARGET ${target} POST_BUILD VERBATIM
      COMMAND $<TARGET_FILE:${SALVOR_PROGRAM}> plugin note $<TARGET_FILE:${target}>)
    add_dependencies(${target} ${SALVOR_PROGRAM})
  elseif(SALVOR_PROGRAM)
    add_custom_command(TARGET ${target} POST_BUILD VERBATIM
      COMMAND ${SALVOR_PROGRAM} plugin note $<TARGET_FILE:${target}>)
  endif()
  if(SALVOR_PLUGIN_DIR)
    install(TARGETS ${target} LIBRARY DESTINATION ${SALVOR_PLUGIN_DIR} COMPONENT plugin-${name})
  endif()
endfunction()

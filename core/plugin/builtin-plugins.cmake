# salvor_builtin_table(OUTPUT NAME…): writes the table of the plugins bundled into a program.
function(salvor_builtin_table output)
  set(SALVOR_BUILTIN_DECLARATIONS "")
  set(SALVOR_BUILTIN_ROWS "")
  foreach(name IN LISTS ARGN)
    string(REPLACE "-" "_" module ${name})
    set(entry ${module}_LTX_salvor_plugin_v1)
    string(APPEND SALVOR_BUILTIN_DECLARATIONS
      "const struct salvor_plugin *${entry}(const struct salvor_host *host);\n")
    string(APPEND SALVOR_BUILTIN_ROWS "{\"${name}\", ${entry}}, ")
  endforeach()
  configure_file(${CMAKE_CURRENT_FUNCTION_LIST_DIR}/builtin-plugins.c.in ${output} @ONLY)
endfunction()

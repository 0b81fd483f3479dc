# cmake -DPROGRAM=SALVOR -DVERSION=V -DINPUT=FILE.in -DOUTPUT=FILE -P ManPage.cmake: a manual page with
# its tables as the program prints them, each in place of a line @PART@.
cmake_policy(VERSION 3.25)
file(READ "${INPUT}" page)
string(REPLACE "@VERSION@" "${VERSION}" page "${page}")
string(REGEX MATCHALL "\n@[a-z-]+@\n" marks "${page}")
foreach(mark IN LISTS marks)
  string(REGEX REPLACE "[\n@]" "" part "${mark}")
  execute_process(COMMAND "${PROGRAM}" __manual ${part} OUTPUT_VARIABLE table
                  RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${PROGRAM} __manual ${part} failed: ${status}")
  endif()
  string(REPLACE "${mark}" "\n${table}" page "${page}")
endforeach()
file(WRITE "${OUTPUT}" "${page}")

# cmake -DINPUT=FILE -DOUTPUT=HEADER -DNAME=SYMBOL [-DSHELL=ON] -P EmbedText.cmake: a text file as a C
# string. SHELL: a script, of which lines that are comments are left out.
cmake_policy(VERSION 3.25)
file(READ "${INPUT}" text)
if(SHELL)
  string(REGEX REPLACE "(^|\n)[ ]*#[^\n]*" "" text "${text}")
  string(REGEX REPLACE "^\n" "" text "${text}")
  string(REGEX REPLACE "\n +" "\n" text "${text}")
endif()
string(REPLACE "\\" "\\\\" text "${text}")
string(REPLACE "\"" "\\\"" text "${text}")
string(REPLACE "\n" "\\n\"\n    \"" text "${text}")
file(WRITE "${OUTPUT}" "static const char ${NAME}[] =\n    \"${text}\";\n")

# cmake -DINPUT=FILE -DOUTPUT=HEADER -DNAME=SYMBOL -P EmbedText.cmake: a text file as a C string.
cmake_policy(VERSION 3.25)
file(READ "${INPUT}" text)
string(REPLACE "\\" "\\\\" text "${text}")
string(REPLACE "\"" "\\\"" text "${text}")
string(REPLACE "\n" "\\n\"\n    \"" text "${text}")
file(WRITE "${OUTPUT}" "static const char ${NAME}[] =\n    \"${text}\";\n")

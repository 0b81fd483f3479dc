# Language level, warnings, hardening and sanitizers: one place for the whole tree.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT DEFINED CMAKE_C_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wvla -Wwrite-strings -Wformat=2 -fno-common
                    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>
                    $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>)
add_compile_definitions(_GNU_SOURCE)
option(SALVOR_WERROR "treat warnings as errors" OFF)
if(SALVOR_WERROR)
  add_compile_options(-Werror)
endif()

# Assertions guard recovery invariants; they stay on in release builds.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELWITHDEBINFO "${CMAKE_C_FLAGS_RELWITHDEBINFO}")

if(SALVOR_SANITIZE)
  add_compile_options(-fsanitize=${SALVOR_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SALVOR_SANITIZE})
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong)
endif()
add_link_options(-Wl,-z,relro,-z,now)

if(SALVOR_FUZZ)
  # Without it libFuzzer sees no coverage of the libraries under test.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(SALVOR_TEST_HOOKS)
  add_compile_definitions(SALVOR_TEST_HOOKS=1)
endif()

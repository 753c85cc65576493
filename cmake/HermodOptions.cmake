# SPDX-License-Identifier: Apache-2.0
# Language level, warnings, sanitizers and build speed, in one place for every target.

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")

# Sanitizers as a comma-separated list, for example "address,undefined" or "thread".
set(HERMOD_SANITIZE "" CACHE STRING "Sanitizers to build with")
option(HERMOD_TESTS "Build the tests (GoogleTest)" ON)
option(HERMOD_FUZZ "Build the fuzz targets (clang only)" OFF)
option(HERMOD_COVERAGE "Build with coverage counters" OFF)

add_compile_options(-Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion
  -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Designated initialisers leave the other members at their defaults, which is the point of them.
  # g++ 12 sees uninitialised members in moved variants where there are none; clang-tidy and the
  # sanitizers look for real ones.
  add_compile_options(-Wno-missing-field-initializers -Wno-maybe-uninitialized)
else()
  # libstdc++ 12 itself uses what it has deprecated, and clang says so at each std::stable_sort; g++
  # keeps the warning on for our own code.
  add_compile_options(-Wno-missing-designated-field-initializers -Wno-missing-field-initializers
    -Wno-deprecated-declarations)
endif()

if(HERMOD_SANITIZE)
  add_compile_options(-fsanitize=${HERMOD_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${HERMOD_SANITIZE})
endif()
if(HERMOD_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(HERMOD_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE_PROGRAM})
endif()

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)

# SPDX-License-Identifier: Apache-2.0
# Modules and their layers. Arrows only point to a strictly lower layer; a bad edge stops the
# configuration. Each module has one include root (its include/ folder), and only the roots of what
# it declares are on its include path: an undeclared include does not compile.

# hermod_module(NAME <name> LAYER <0..5> SOURCES <files>... [DEPENDS <modules>...]
#               [LIBS <targets>...] [PRIVATE_LIBS <targets>...])
# Declares the static library hermod_<name>, alias hermod::<name>. A module without sources is
# header-only.
function(hermod_module)
  cmake_parse_arguments(M "" "NAME;LAYER" "SOURCES;DEPENDS;LIBS;PRIVATE_LIBS" ${ARGN})
  if(M_UNPARSED_ARGUMENTS OR NOT M_NAME OR "${M_LAYER}" STREQUAL "")
    message(FATAL_ERROR
      "hermod_module needs NAME and LAYER; not understood: ${M_UNPARSED_ARGUMENTS}")
  endif()
  foreach(dep IN LISTS M_DEPENDS)
    get_property(dep_layer GLOBAL PROPERTY HERMOD_LAYER_${dep})
    if("${dep_layer}" STREQUAL "")
      message(FATAL_ERROR "Module '${M_NAME}' depends on '${dep}', which is not declared (yet). "
        "Declare lower layers first in src/CMakeLists.txt.")
    endif()
    if(NOT dep_layer LESS M_LAYER)
      message(FATAL_ERROR "Layer violation: '${M_NAME}' (layer ${M_LAYER}) depends on '${dep}' "
        "(layer ${dep_layer}). Arrows only point to a strictly lower layer: move the shared "
        "piece down, or declare an interface in the lower layer (ARCHITECTURE.md).")
    endif()
  endforeach()
  set_property(GLOBAL PROPERTY HERMOD_LAYER_${M_NAME} "${M_LAYER}")
  set_property(GLOBAL APPEND PROPERTY HERMOD_MODULES "${M_NAME}")

  list(TRANSFORM M_DEPENDS PREPEND hermod:: OUTPUT_VARIABLE dep_targets)
  if(M_SOURCES)
    add_library(hermod_${M_NAME} STATIC ${M_SOURCES})
    target_include_directories(hermod_${M_NAME} PUBLIC
      "$<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>")
    target_link_libraries(hermod_${M_NAME}
      PUBLIC ${dep_targets} ${M_LIBS} PRIVATE ${M_PRIVATE_LIBS})
  else()
    add_library(hermod_${M_NAME} INTERFACE)
    target_include_directories(hermod_${M_NAME} INTERFACE
      "$<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>")
    target_link_libraries(hermod_${M_NAME} INTERFACE ${dep_targets} ${M_LIBS})
  endif()
  add_library(hermod::${M_NAME} ALIAS hermod_${M_NAME})
endfunction()

# What ./dev builds and reads: the tests with the label `threaded`, which run under ThreadSanitizer
# too; all fuzz targets; and their list, "name corpus" a line.
add_custom_target(threaded_tests)
add_custom_target(fuzzers)
set(HERMOD_FUZZERS_FILE "${CMAKE_BINARY_DIR}/fuzzers.txt")
file(WRITE "${HERMOD_FUZZERS_FILE}" "")

# hermod_test(NAME <name> SOURCES <files>... DEPENDS <modules>... [LIBS ...] [LABELS ...]
#             [TIMEOUT s])
# One GoogleTest program, one ctest entry. Label `unit` unless others are given; `threaded` for what
# starts threads. Needs no GoogleTest when HERMOD_TESTS is off.
function(hermod_test)
  cmake_parse_arguments(T "" "NAME;TIMEOUT" "SOURCES;DEPENDS;LIBS;LABELS" ${ARGN})
  if(NOT HERMOD_TESTS)  # declared, so that setting its properties needs no condition; never built
    add_executable(${T_NAME} EXCLUDE_FROM_ALL ${T_SOURCES})
    return()
  endif()
  find_package(GTest REQUIRED)
  list(TRANSFORM T_DEPENDS PREPEND hermod:: OUTPUT_VARIABLE dep_targets)
  add_executable(${T_NAME} ${T_SOURCES})
  target_link_libraries(${T_NAME}
    PRIVATE ${dep_targets} ${T_LIBS} GTest::gtest GTest::gmock GTest::gtest_main)
  # Several files at once: their headers take longer to read than what they say themselves.
  set_target_properties(${T_NAME} PROPERTIES UNITY_BUILD ON)
  # Optimising them would take most of a build, the more so with the code of sanitizers in them.
  if(HERMOD_SANITIZE)
    target_compile_options(${T_NAME} PRIVATE -O0)
  else()
    target_compile_options(${T_NAME} PRIVATE -O1)
  endif()
  add_test(NAME ${T_NAME} COMMAND ${T_NAME})
  if(NOT T_LABELS)
    set(T_LABELS unit)
  endif()
  if("threaded" IN_LIST T_LABELS)
    add_dependencies(threaded_tests ${T_NAME})
  endif()
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  if(HERMOD_SANITIZE)
    math(EXPR T_TIMEOUT "${T_TIMEOUT} * 4")
  endif()
  set_tests_properties(${T_NAME} PROPERTIES TIMEOUT ${T_TIMEOUT} LABELS "${T_LABELS}")
endfunction()

# hermod_fuzz(NAME <name> SOURCES <files>... DEPENDS <modules>... CORPUS <dir>)
# A libFuzzer target when HERMOD_FUZZ is on; nothing otherwise. The name ends in _fuzz, the corpus
# is a tracked folder.
function(hermod_fuzz)
  if(NOT HERMOD_FUZZ)
    return()
  endif()
  cmake_parse_arguments(F "" "NAME;CORPUS" "SOURCES;DEPENDS" ${ARGN})
  list(TRANSFORM F_DEPENDS PREPEND hermod:: OUTPUT_VARIABLE dep_targets)
  add_executable(${F_NAME} ${F_SOURCES})
  target_link_libraries(${F_NAME} PRIVATE ${dep_targets})
  target_link_options(${F_NAME} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzzers ${F_NAME})
  file(APPEND "${HERMOD_FUZZERS_FILE}" "${F_NAME} ${F_CORPUS}\n")
endfunction()

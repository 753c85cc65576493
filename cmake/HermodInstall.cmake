# SPDX-License-Identifier: Apache-2.0
# What `cmake --install build/release --prefix P` lays down: the program, and the client library as
# a CMake package with what it is made of. Only public headers: the include roots of these modules.
#
#   find_package(Hermod REQUIRED)
#   target_link_libraries(x PRIVATE hermod::mqtt)   # or hermod::coap
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(HERMOD_INSTALLED base cbor sasl model session mqtt_codec mqtt_session coap_codec coap_session
  client)

foreach(module IN LISTS HERMOD_INSTALLED)
  get_target_property(source_dir hermod_${module} SOURCE_DIR)
  install(DIRECTORY "${source_dir}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
endforeach()
foreach(target IN LISTS HERMOD_INSTALLED ITEMS mqtt coap)
  set_target_properties(hermod_${target} PROPERTIES EXPORT_NAME ${target})
  install(TARGETS hermod_${target} EXPORT hermod
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
endforeach()
install(TARGETS hermod RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")

# In lower case the files are found by find_package(Hermod) and find_package(hermod).
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/hermod")
install(EXPORT hermod NAMESPACE hermod:: FILE hermod-targets.cmake DESTINATION "${package_dir}")
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/hermod-config.cmake.in"
  "${CMAKE_BINARY_DIR}/hermod-config.cmake" INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${CMAKE_BINARY_DIR}/hermod-config-version.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES
  "${CMAKE_BINARY_DIR}/hermod-config.cmake" "${CMAKE_BINARY_DIR}/hermod-config-version.cmake"
  DESTINATION "${package_dir}")

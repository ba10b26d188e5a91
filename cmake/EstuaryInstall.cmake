# Installation, and the CMake package through which other programs use libestuary:
#   find_package(estuary CONFIG REQUIRED)
#   target_link_libraries(mine PRIVATE estuary::estuary)
include(CMakePackageConfigHelpers)

add_library(estuary-all INTERFACE)
add_library(estuary::estuary ALIAS estuary-all)
set_target_properties(estuary-all PROPERTIES EXPORT_NAME estuary)
target_link_libraries(estuary-all INTERFACE estuary-base estuary-asn1 estuary-crypto estuary-http estuary-x509
    estuary-cms estuary-store estuary-authority estuary-cmc estuary-est estuary-ocsp estuary-cmp estuary-net)
install(TARGETS estuary-all EXPORT estuary)
install(DIRECTORY estuary DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(EXPORT estuary NAMESPACE estuary:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/estuary FILE estuary-targets.cmake)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/estuary-config.cmake.in
    ${CMAKE_CURRENT_BINARY_DIR}/estuary-config.cmake INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/estuary)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/estuary-config-version.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/estuary-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/estuary-config-version.cmake
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/estuary)

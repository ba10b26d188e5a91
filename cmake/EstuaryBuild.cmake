# Compile settings and the helper functions that every room uses.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)  # there are none to look for
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

# Not for optimised builds: with precompiled headers g++ 12 warns of what it takes for overflows in its own library.
option(ESTUARY_PRECOMPILE "Precompile what most sources include" OFF)

find_program(CCACHE ccache)
if(CCACHE AND ESTUARY_PRECOMPILE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
elseif(CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(estuary-options INTERFACE)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # Its own linker, where it is there: links the sanitized tests in a fraction of the time.
    file(REAL_PATH ${CMAKE_CXX_COMPILER} compiler)
    cmake_path(GET compiler PARENT_PATH compiler_directory)
    if(EXISTS ${compiler_directory}/ld.lld)
        target_link_options(estuary-options INTERFACE -fuse-ld=lld)
    endif()
endif()
target_compile_options(estuary-options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wold-style-cast -Wcast-qual
    -Wswitch -Wimplicit-fallthrough -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ from 13 on takes the empty std::optional's storage for a value; the sanitizers see the true cases.
    target_compile_options(estuary-options INTERFACE -Wno-maybe-uninitialized)
endif()
target_compile_definitions(estuary-options INTERFACE OPENSSL_NO_DEPRECATED OPENSSL_API_COMPAT=30000)
target_include_directories(estuary-options INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
if(ESTUARY_SANITIZE)
    target_compile_options(estuary-options INTERFACE -fsanitize=${ESTUARY_SANITIZE} -fno-omit-frame-pointer
        -fno-sanitize-recover=all)
    target_link_options(estuary-options INTERFACE -fsanitize=${ESTUARY_SANITIZE})
endif()
if(ESTUARY_FUZZ)
    # Coverage feedback everywhere; the fuzzer's main only in the fuzz targets.
    target_compile_options(estuary-options INTERFACE -fsanitize=fuzzer-no-link)
    target_link_options(estuary-options INTERFACE -fsanitize=fuzzer-no-link)
endif()
install(TARGETS estuary-options EXPORT estuary)

# Compiled often and run briefly. What they test keeps the preset's optimisation, and every sanitizer.
function(estuary_test_options target)
    if(NOT ESTUARY_SANITIZE)
        target_compile_options(${target} PRIVATE -O0)
    elseif(ESTUARY_SANITIZE MATCHES "undefined")
        target_compile_options(${target} PRIVATE -fno-sanitize=undefined)
    endif()
endfunction()

# What rooms and tests share precompiled. The makers have no more definitions than everybody who shares, or the compiler would
# refuse; tests are executables and compiled with other flags than libraries.
if(ESTUARY_PRECOMPILE)
    set(headers <algorithm> <array> <chrono> <filesystem> <functional> <map> <memory> <optional> <span> <string> <variant> <vector>
        <fmt/format.h> <tl/expected.hpp>)
    file(WRITE ${CMAKE_BINARY_DIR}/precompiled.cpp "int main() {}\n")
    add_library(precompiled-room OBJECT ${CMAKE_BINARY_DIR}/precompiled.cpp)
    target_link_libraries(precompiled-room PRIVATE fmt::fmt estuary-options)
    target_precompile_headers(precompiled-room PRIVATE ${headers})
    add_executable(precompiled-test EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/precompiled.cpp)
    target_link_libraries(precompiled-test PRIVATE fmt::fmt GTest::gmock GTest::gtest_main estuary-options)
    estuary_test_options(precompiled-test)
    target_precompile_headers(precompiled-test PRIVATE ${headers} <gmock/gmock.h> <gtest/gtest.h>)
endif()
function(estuary_precompiled target maker)
    if(ESTUARY_PRECOMPILE)
        target_precompile_headers(${target} REUSE_FROM ${maker})
    endif()
endfunction()

# estuary_room(NAME SOURCES file... [PUBLIC target...] [PRIVATE target...])
# One static library estuary-NAME, also known as estuary::NAME.
function(estuary_room name)
    cmake_parse_arguments(ROOM "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
    add_library(estuary-${name} STATIC ${ROOM_SOURCES})
    add_library(estuary::${name} ALIAS estuary-${name})
    set_target_properties(estuary-${name} PROPERTIES EXPORT_NAME ${name})
    target_link_libraries(estuary-${name} PUBLIC ${ROOM_PUBLIC} PRIVATE ${ROOM_PRIVATE} $<BUILD_INTERFACE:estuary-options>)
    target_include_directories(estuary-${name} PUBLIC
        $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    estuary_precompiled(estuary-${name} precompiled-room)
    install(TARGETS estuary-${name} EXPORT estuary)
endfunction()

option(ESTUARY_SUITES "One ctest case for each suite of tests, not for each test: less starting of programs" OFF)

# estuary_test(NAME SOURCES file... [LINK target...])
# One GoogleTest program test_NAME; each of its tests, or each suite of them, is a ctest case.
function(estuary_test name)
    cmake_parse_arguments(TEST "" "" "SOURCES;LINK" ${ARGN})
    add_executable(test_${name} ${TEST_SOURCES})
    if(NOT TARGET unit_tests)
        add_custom_target(unit_tests)   # all of them, to be built together
    endif()
    add_dependencies(unit_tests test_${name})
    estuary_test_options(test_${name})
    target_link_libraries(test_${name} PRIVATE ${TEST_LINK} GTest::gmock GTest::gtest_main estuary-options)
    target_compile_definitions(test_${name} PRIVATE ESTUARY_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    estuary_precompiled(test_${name} precompiled-test)
    if(ESTUARY_SUITES)
        set(found ${CMAKE_CURRENT_BINARY_DIR}/test_${name}_suites.cmake)
        add_custom_command(TARGET test_${name} POST_BUILD BYPRODUCTS ${found} COMMAND ${CMAKE_COMMAND}
            -DPROGRAM=$<TARGET_FILE:test_${name}> -DNAME=${name} -DOUTPUT=${found} -P ${PROJECT_SOURCE_DIR}/cmake/DiscoverSuites.cmake)
        set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${found})
    else()
        gtest_discover_tests(test_${name} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 300 LABELS unit)
    endif()
endfunction()

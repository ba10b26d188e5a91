# cmake -DPROGRAM=… -DNAME=… -DOUTPUT=… -P DiscoverSuites.cmake: writes for ctest one test for each suite of a GoogleTest program.
execute_process(COMMAND ${PROGRAM} --gtest_list_tests OUTPUT_VARIABLE listing RESULT_VARIABLE status)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "${PROGRAM} --gtest_list_tests: ${status}")
endif()
# "Suite.  # TypeParam = …", and indented the names of its cases
string(REGEX MATCHALL "(^|\n)[A-Za-z_][A-Za-z0-9_/]*\\." suites "${listing}")
# ctest calls skipped what matches, whatever its status: nothing but skips may follow, for failures would.
set(all_skipped "PASSED  . 0 tests[.]\\n(.  SKIPPED . [^\\n]*\\n)+$")
set(script "")
foreach(suite ${suites})
    string(REGEX REPLACE "^\n?(.*)\\.$" "\\1" suite "${suite}")
    string(APPEND script "add_test([=[${NAME}.${suite}]=] [=[${PROGRAM}]=] [=[--gtest_filter=${suite}.*]=])\n"
        "set_tests_properties([=[${NAME}.${suite}]=] PROPERTIES TIMEOUT 300 LABELS unit "
        "SKIP_REGULAR_EXPRESSION \"${all_skipped}\")\n")
endforeach()
file(WRITE ${OUTPUT} "${script}")

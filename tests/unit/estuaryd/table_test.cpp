#include "apps/estuaryd/table.h"

#include <sstream>

#include <gtest/gtest.h>

namespace estuary::daemon {
namespace {

TEST(Shown, escapes_what_a_terminal_would_obey) {  // bug class 38
    EXPECT_EQ(shown("CN=a\x1b[2Jb"), "CN=a\\x1b[2Jb");
    EXPECT_EQ(shown("a\nb"), "a\\x0ab");
    EXPECT_EQ(shown("\xff"), "\\xff");
    EXPECT_EQ(shown("\xc2\x9b" "31m"), "\\xc2\\x9b31m");  // CSI of the C1 set
}

TEST(Shown, leaves_plain_text_alone) {
    EXPECT_EQ(shown("CN=caf\xc3\xa9\\2C x"), "CN=caf\xc3\xa9\\2C x");
}

TEST(Columns, stand_in_line) {
    Columns columns{{"A", "B", "C"}};
    columns.add({"caf\xc3\xa9", "", "x"});
    columns.add({"b", "longer", "y\x07"});
    std::ostringstream out;
    columns.print(out);
    EXPECT_EQ(out.str(), "A     B       C\ncaf\xc3\xa9  -       x\nb     longer  y\\x07\n");
}

TEST(FieldList, leaves_out_what_is_empty) {
    FieldList fields;
    fields.add("a", "1");
    fields.add("none", "");
    fields.add("long", "2\r\n");
    std::ostringstream out;
    fields.print(out);
    EXPECT_EQ(out.str(), "a:     1\nlong:  2\\x0d\\x0a\n");
}

}  // namespace
}  // namespace estuary::daemon

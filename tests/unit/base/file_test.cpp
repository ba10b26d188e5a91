#include "estuary/base/file.h"

#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace estuary::file {
namespace {

namespace fs = std::filesystem;

class File : public testing::Test {
protected:
    File() {
        std::string pattern = (fs::temp_directory_path() / "estuary-file-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"no temporary directory"};
        folder = pattern;
    }
    ~File() override {
        ::chmod(folder.c_str(), 0700);
        fs::remove_all(folder);
    }
    static unsigned mode_of(const fs::path& path) {
        struct stat status{};
        return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777u : 0u;
    }
    std::size_t entries() const {
        return static_cast<std::size_t>(std::distance(fs::directory_iterator{folder}, fs::directory_iterator{}));
    }

    fs::path folder;
};

TEST_F(File, WhatIsWrittenIsRead) {
    const auto path = folder / "a";
    for (const std::size_t size : {0, 1, 16383, 16384, 16385, 100'000}) {
        const ByteVec content(size, 0x5a);
        ASSERT_TRUE(write_atomically(path, content, Access::everyone_reads));
        EXPECT_EQ(read(path).value(), content);
    }
    // Large ones are flushed in pieces of 4 MiB.
    constexpr std::size_t piece = std::size_t{4} << 20;
    for (const std::size_t size : {piece, piece + 1, 2 * piece + 3}) {
        ByteVec content(size);
        for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<std::uint8_t>(i ^ i >> 8 ^ i >> 16);
        ASSERT_TRUE(write_atomically(path, content, Access::everyone_reads));
        EXPECT_TRUE(read(path, 3 * piece).value() == content);
    }
    EXPECT_EQ(entries(), 1u) << "no temporary file is left";
}

TEST_F(File, ModesAreExact) {
    const auto old = ::umask(0077);
    ASSERT_TRUE(write_atomically(folder / "public", as_bytes("x"), Access::everyone_reads));
    ::umask(0000);
    ASSERT_TRUE(write_atomically(folder / "private", as_bytes("x"), Access::owner_only));
    ::umask(old);
    EXPECT_EQ(mode_of(folder / "public"), 0644u);
    EXPECT_EQ(mode_of(folder / "private"), 0600u);
    ASSERT_TRUE(write_atomically(folder / "public", as_bytes("x"), Access::owner_only));
    EXPECT_EQ(mode_of(folder / "public"), 0600u) << "the new mode, not that of the file before";
}

TEST_F(File, PrivateFilesMayNotBeReadByOthers) {
    const auto path = folder / "key";
    ASSERT_TRUE(write_atomically(path, as_bytes("secret"), Access::owner_only));
    EXPECT_EQ(to_string(read_private(path).value()), "secret");
    for (const mode_t mode : {0644, 0640, 0604, 0610, 0602}) {
        ::chmod(path.c_str(), mode);
        const auto refused = read_private(path);
        ASSERT_FALSE(refused) << std::oct << mode;
        EXPECT_EQ(refused.error().code, Code::not_authorised);
        EXPECT_NE(refused.error().detail.find("chmod 600"), std::string::npos);
    }
    ::chmod(path.c_str(), 0400);
    EXPECT_TRUE(read_private(path));
}

TEST_F(File, ErrorsNameFileAndKind) {
    const auto absent = read(folder / "absent");
    EXPECT_EQ(absent.error().code, Code::not_found);
    EXPECT_NE(absent.error().detail.find("absent"), std::string::npos);
    EXPECT_EQ(read(folder).error().code, Code::unavailable) << "a directory";
    EXPECT_EQ(write_atomically(folder / "no" / "such", as_bytes("x"), Access::owner_only).error().code,
              Code::not_found);
    ASSERT_TRUE(write_atomically(folder / "large", ByteVec(101, 'x'), Access::owner_only));
    EXPECT_EQ(read(folder / "large", 100).error().code, Code::too_large);
    EXPECT_EQ(read_private(folder / "large", 100).error().code, Code::too_large);
    EXPECT_TRUE(read(folder / "large", 101));
    EXPECT_EQ(read("/dev/zero", 1000).error().code, Code::too_large) << "endless, whatever its size says";
}

TEST_F(File, AFailedWriteLeavesTheOldFile) {
    const auto path = folder / "target";
    fs::create_directory(path);  // cannot be renamed over
    EXPECT_FALSE(write_atomically(path, as_bytes("x"), Access::owner_only));
    EXPECT_TRUE(fs::is_directory(path));
    EXPECT_EQ(entries(), 1u) << "no temporary file is left";
}

TEST_F(File, RelativePathsHaveAFolderToo) {
    const auto before = fs::current_path();
    fs::current_path(folder);
    const auto written = write_atomically("plain", as_bytes("x"), Access::owner_only);
    fs::current_path(before);
    EXPECT_TRUE(written);
    EXPECT_EQ(to_string(read(folder / "plain").value()), "x");
}

}  // namespace
}  // namespace estuary::file

#pragma once
// A TOML table read with a typed hand: every key is asked for by name, and what nobody asked for is a fault.
#include <cstdint>
#include <functional>
#include <set>

#include "apps/estuaryd/config.h"

// toml++ stays in config_table.cpp and config_read.cpp: the header is heavy, and its inline namespaces depend on its
// settings, so it cannot be declared ahead here.

namespace estuary::daemon {

/// What is wrong, collected; shared by all tables of one file.
class Faults {
public:
    explicit Faults(std::string file) : file_{std::move(file)} {}
    void add(unsigned line, std::string key, std::string message);
    void add(const Place& place, std::string message) { list_.push_back({place, std::move(message), false}); }
    void warn(const Place& place, std::string message) { list_.push_back({place, std::move(message), true}); }
    /// Without warnings.
    std::size_t count() const;
    const std::string& file() const noexcept { return file_; }
    /// In the order of the file.
    std::vector<Fault> sorted() const;

private:
    std::string file_;
    std::vector<Fault> list_;
};

/// A text from the file and where it stood.
struct Text {
    std::string value;
    Place place;
};

/// One table. Absent optional keys leave the target as it was, so defaults stand in the value types.
class Table {
public:
    /// `node` is a `const toml::table*`, null for a table that is not there; `path` is "profile.device", "" at the top.
    Table(const void* node, std::string path, unsigned line, Faults& faults)
        : node_{node}, path_{std::move(path)}, line_{line}, faults_{&faults} {}

    bool present() const noexcept { return node_ != nullptr; }
    Place place() const { return {faults_->file(), line_, path_}; }
    Place place(std::string_view key) const;
    void fault(std::string_view key, std::string message) const { faults_->add(place(key), std::move(message)); }

    bool has(std::string_view key) const;
    /// The value's kind is wrong, or it is absent (no fault): nothing.
    std::optional<Text> text(std::string_view key);
    std::vector<Text> texts(std::string_view key);
    bool boolean(std::string_view key, bool& into);
    void duration(std::string_view key, Seconds& into, bool zero_allowed = false);
    void milliseconds(std::string_view key, std::chrono::milliseconds& into);
    void text_into(std::string_view key, std::string& into);
    void texts_into(std::string_view key, std::vector<std::string>& into);

    template <class Number>
    void number(std::string_view key, Number& into, std::int64_t min, std::int64_t max) {
        if (const auto value = integer(key, min, max)) into = static_cast<Number>(*value);
    }

    /// One of the given words.
    template <class Value>
    void choice(std::string_view key, Value& into, std::initializer_list<std::pair<std::string_view, Value>> words) {
        const auto given = text(key);
        if (!given) return;
        std::string known;
        for (const auto& [word, value] : words) {
            if (given->value == word) {
                into = value;
                return;
            }
            known += known.empty() ? "" : ", ";
            known += word;
        }
        faults_->add(given->place, "'" + given->value + "' is not one of: " + known);
    }

    /// A value that a function reads from text; its error is the fault.
    template <class Value>
    void parsed(std::string_view key, Value& into, const std::function<Result<Value>(std::string_view)>& parse) {
        const auto given = text(key);
        if (!given) return;
        if (auto value = parse(given->value)) {
            into = std::move(*value);
        } else {
            faults_->add(given->place, value.error().detail);
        }
    }
    /// An array of such values; empty where the key is absent.
    template <class Value>
    bool parsed_list(std::string_view key, std::vector<Value>& into,
                     const std::function<Result<Value>(std::string_view)>& parse) {
        asked_.emplace(key);
        if (!has(key)) return false;
        into.clear();
        for (const auto& given : texts(key)) {
            if (auto value = parse(given.value)) {
                into.push_back(std::move(*value));
            } else {
                faults_->add(given.place, value.error().detail);
            }
        }
        return true;
    }

    /// A table below this one, absent or not.
    Table table(std::string_view key);
    /// [key.NAME] for every NAME.
    std::vector<std::pair<std::string, Table>> tables(std::string_view key);

    /// Every key that nobody asked for is a fault, with the nearest known key as advice.
    void finish() const;

    Faults& faults() const noexcept { return *faults_; }

private:
    std::optional<std::int64_t> integer(std::string_view key, std::int64_t min, std::int64_t max);

    const void* node_;
    std::string path_;
    unsigned line_;
    Faults* faults_;
    std::set<std::string, std::less<>> asked_;
};

/// Before a name in lists of who may enroll: one of the makers of [manufacturer.NAME].
inline constexpr std::string_view manufacturer_prefix = "manufacturer:";

/// The name of a type of key that the library has and that signs. malformed, unsupported.
Result<std::string> signing_key_type(std::string_view text);

}  // namespace estuary::daemon

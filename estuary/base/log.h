#pragma once
// Diagnostics: one line an event, key=value fields, safe against injected line breaks. The audit trail is not a log;
// it lives in the store.
#include <initializer_list>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "estuary/base/result.h"

namespace estuary::log {

enum class Level { debug, info, warning, error };

/// A field of a log line. Text is quoted and escaped where needed.
struct Field {
    std::string_view key;
    std::string value;
    Field(std::string_view k, std::string_view v) : key{k}, value{v} {}
    Field(std::string_view k, const std::string& v) : key{k}, value{v} {}
    Field(std::string_view k, const char* v) : key{k}, value{v} {}
    template <class Number>
        requires std::is_arithmetic_v<Number>
    Field(std::string_view k, Number v) : key{k}, value{fmt::format("{}", v)} {}
};

/// Lines below this level are dropped. Default: info.
void set_level(Level level);
Result<Level> parse_level(std::string_view name);
bool enabled(Level level);

/// Writes one line to standard error. `event` is a short fixed phrase; what varies goes into fields.
void write(Level level, std::string_view event, std::initializer_list<Field> fields = {});

inline void debug(std::string_view event, std::initializer_list<Field> fields = {}) {
    if (enabled(Level::debug)) write(Level::debug, event, fields);
}
inline void info(std::string_view event, std::initializer_list<Field> fields = {}) {
    if (enabled(Level::info)) write(Level::info, event, fields);
}
inline void warning(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::warning, event, fields);
}
inline void error(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::error, event, fields);
}

}  // namespace estuary::log

#include "estuary/base/log.h"

#include <memory>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "estuary/base/text.h"

namespace estuary::log {
namespace {

spdlog::level::level_enum spd(Level level) {
    switch (level) {
        case Level::debug: return spdlog::level::debug;
        case Level::info: return spdlog::level::info;
        case Level::warning: return spdlog::level::warn;
        case Level::error: return spdlog::level::err;
    }
    return spdlog::level::info;
}

spdlog::logger& logger() {
    static const auto instance = [] {
        auto made = std::make_shared<spdlog::logger>("estuary", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
        made->set_level(spdlog::level::info);
        made->flush_on(spdlog::level::info);
        return made;
    }();
    return *instance;
}

}  // namespace

void set_level(Level level) { logger().set_level(spd(level)); }

Result<Level> parse_level(std::string_view name) {
    if (name == "debug") return Level::debug;
    if (name == "info") return Level::info;
    if (name == "warning") return Level::warning;
    if (name == "error") return Level::error;
    return fail(Code::malformed, fmt::format("'{}' is not a log level (debug, info, warning, error)", name));
}

bool enabled(Level level) { return logger().should_log(spd(level)); }

void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
    if (!enabled(level)) return;
    std::string line{event};
    for (const auto& field : fields) {
        line += ' ';
        line += field.key;
        line += '=';
        const bool plain = !field.value.empty() && field.value.find_first_of(" \"=\\") == std::string::npos;
        const auto escaped = text::printable(field.value);
        if (plain && escaped == field.value) {
            line += escaped;
        } else {
            line += '"';
            for (const char c : escaped) {
                if (c == '"') line += '\\';
                line += c;
            }
            line += '"';
        }
    }
    logger().log(spd(level), "{}", line);
}

}  // namespace estuary::log

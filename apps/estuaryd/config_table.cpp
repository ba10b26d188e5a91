#include "apps/estuaryd/config_table.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "estuary/base/text.h"
#include "estuary/crypto/algorithms.h"

namespace estuary::daemon {
namespace {

const toml::table& as_table(const void* node) { return *static_cast<const toml::table*>(node); }

unsigned line_of(const toml::node& node) { return static_cast<unsigned>(node.source().begin.line); }

std::string kind_of(const toml::node& node) {
    if (node.is_string()) return "a text";
    if (node.is_integer()) return "a number";
    if (node.is_boolean()) return "true or false";
    if (node.is_array()) return "a list";
    if (node.is_table()) return "a table";
    if (node.is_floating_point()) return "a fraction";
    return "a date or time";
}

/// Edit distance, small texts only.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const auto change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row[b.size()];
}

std::string advice(std::string_view unknown, const std::set<std::string, std::less<>>& known) {
    std::string_view best;
    std::size_t nearest = 3;  // more than two changes is another word
    for (const auto& key : known) {
        if (const auto d = distance(unknown, key); d < nearest) {
            nearest = d;
            best = key;
        }
    }
    if (!best.empty()) return fmt::format("; did you mean '{}'?", best);
    std::string all;
    for (const auto& key : known) all += (all.empty() ? "" : ", ") + key;
    return all.empty() ? std::string{} : fmt::format("; known here: {}", all);
}

}  // namespace

std::string to_string(const Fault& fault) {
    std::string line = fault.place.file;
    if (fault.place.line != 0) line += fmt::format(":{}", fault.place.line);
    line += ": ";
    if (!fault.place.key.empty()) line += text::printable(fault.place.key) + ": ";
    return line + (fault.warning ? "warning: " : "") + fault.message;
}

void Faults::add(unsigned line, std::string key, std::string message) {
    list_.push_back({{file_, line, std::move(key)}, std::move(message), false});
}

std::size_t Faults::count() const {
    return static_cast<std::size_t>(std::ranges::count(list_, false, &Fault::warning));
}

std::vector<Fault> Faults::sorted() const {
    // Those of one line stay as they came. (Not stable_sort: with libstdc++ 12 clang warns of what it is made of.)
    std::multimap<unsigned, const Fault*> by_line;
    for (const auto& fault : list_) by_line.emplace(fault.place.line, &fault);
    std::vector<Fault> sorted;
    for (const auto& [line, fault] : by_line) sorted.push_back(*fault);
    return sorted;
}

Place Table::place(std::string_view key) const {
    Place place{faults_->file(), line_, path_.empty() ? std::string{key} : path_ + "." + std::string{key}};
    if (node_ != nullptr) {
        if (const auto* node = as_table(node_).get(key)) place.line = line_of(*node);
    }
    return place;
}

bool Table::has(std::string_view key) const { return node_ != nullptr && as_table(node_).contains(key); }

std::optional<Text> Table::text(std::string_view key) {
    asked_.emplace(key);
    if (!has(key)) return {};
    const auto& node = *as_table(node_).get(key);
    if (const auto* value = node.as_string()) {
        if (text::is_plain_utf8(value->get())) return Text{value->get(), place(key)};
        fault(key, "has control characters");
        return {};
    }
    fault(key, fmt::format("is {}; it takes a text in quotes", kind_of(node)));
    return {};
}

std::vector<Text> Table::texts(std::string_view key) {
    asked_.emplace(key);
    if (!has(key)) return {};
    const auto& node = *as_table(node_).get(key);
    const auto* list = node.as_array();
    if (list == nullptr) {
        fault(key, fmt::format("is {}; it takes a list of texts, as [\"one\", \"two\"]", kind_of(node)));
        return {};
    }
    std::vector<Text> values;
    for (const auto& element : *list) {
        auto where = place(key);
        where.line = line_of(element);
        const auto* value = element.as_string();
        if (value != nullptr && text::is_plain_utf8(value->get())) {
            values.push_back({value->get(), where});
        } else {
            faults_->add(where, fmt::format("has {} in a list of texts", value == nullptr ? kind_of(element)
                                                                                          : "control characters"));
        }
    }
    return values;
}

bool Table::boolean(std::string_view key, bool& into) {
    asked_.emplace(key);
    if (!has(key)) return false;
    const auto& node = *as_table(node_).get(key);
    if (const auto* value = node.as_boolean()) {
        into = value->get();
        return true;
    }
    fault(key, fmt::format("is {}; it takes true or false", kind_of(node)));
    return false;
}

std::optional<std::int64_t> Table::integer(std::string_view key, std::int64_t min, std::int64_t max) {
    asked_.emplace(key);
    if (!has(key)) return {};
    const auto& node = *as_table(node_).get(key);
    const auto* value = node.as_integer();
    if (value == nullptr) {
        fault(key, fmt::format("is {}; it takes a number", kind_of(node)));
        return {};
    }
    if (value->get() < min || value->get() > max) {
        fault(key, fmt::format("is {}; it takes {} to {}", value->get(), min, max));
        return {};
    }
    return value->get();
}

void Table::duration(std::string_view key, Seconds& into, bool zero_allowed) {
    const auto given = text(key);
    if (!given) return;
    if (zero_allowed && (given->value == "0" || given->value == "0s")) {
        into = Seconds{0};
    } else if (const auto value = parse_duration(given->value)) {
        into = *value;
    } else {
        faults_->add(given->place, value.error().detail);
    }
}

void Table::milliseconds(std::string_view key, std::chrono::milliseconds& into) {
    Seconds seconds{-1};
    duration(key, seconds);
    if (seconds.count() > 86400) return fault(key, "is longer than a day");
    if (seconds.count() >= 0) into = seconds;
}

void Table::text_into(std::string_view key, std::string& into) {
    if (auto given = text(key)) into = std::move(given->value);
}

void Table::texts_into(std::string_view key, std::vector<std::string>& into) {
    if (!has(key)) {
        asked_.emplace(key);
        return;
    }
    into.clear();
    for (auto& given : texts(key)) into.push_back(std::move(given.value));
}

Table Table::table(std::string_view key) {
    asked_.emplace(key);
    const auto where = place(key);
    const auto* node = node_ == nullptr ? nullptr : as_table(node_).get(key);
    const auto* table = node == nullptr ? nullptr : node->as_table();
    if (node != nullptr && table == nullptr)
        fault(key, fmt::format("is {}; it takes a table, as [{}]", kind_of(*node), where.key));
    return {table, where.key, where.line, *faults_};
}

std::vector<std::pair<std::string, Table>> Table::tables(std::string_view key) {
    auto parent = table(key);
    std::vector<std::pair<std::string, Table>> named;
    if (!parent.present()) return named;
    for (const auto& [name, node] : as_table(parent.node_)) {
        auto below = parent.table(name.str());
        if (below.present()) named.emplace_back(std::string{name.str()}, std::move(below));
    }
    // By place, so that what the file lists first comes first; by name on one line.
    std::ranges::sort(named, {}, [](const auto& entry) { return std::pair{entry.second.line_, std::string_view{entry.first}}; });
    return named;
}

void Table::finish() const {
    if (node_ == nullptr) return;
    for (const auto& [key, node] : as_table(node_)) {
        if (!asked_.contains(key.str())) fault(key.str(), "unknown key" + advice(key.str(), asked_));
    }
}

Result<std::string> signing_key_type(std::string_view text) {
    ESTUARY_TRY(const auto* type, crypto::key_type(text));
    if (!type->signs) return fail(Code::malformed, fmt::format("keys of type '{}' do not sign", text));
    return type->name;
}

}  // namespace estuary::daemon

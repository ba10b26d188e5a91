#include "apps/estuaryd/config_status.h"

#include <algorithm>

#include <fmt/format.h>

#include "apps/estuaryd/requests.h"
#include "apps/estuaryd/status_config.h"
#include "estuary/base/text.h"
#include "estuary/http/grammar.h"

namespace estuary::daemon {
namespace {

constexpr unsigned shards_max = 4096;
constexpr Seconds validity_min{60}, validity_max{10 * 365 * 86400LL}, interval_min{1};
constexpr std::size_t presign_max = 100'000'000;

/// The interval follows the validity where only that was given.
void read_times(Table& table, const std::string& prefix, Seconds& validity, Seconds& interval) {
    table.duration(prefix + "validity", validity);
    if (validity < validity_min || validity > validity_max)
        table.fault(prefix + "validity", "is not between a minute and ten years");
    interval = std::min(interval, validity / 2);
    table.duration(prefix + "interval", interval);
    if (interval < interval_min || interval >= validity)
        table.fault(prefix + "interval", fmt::format("is not shorter than '{}validity' ({}): there would be times without a valid list",
                                                     prefix, estuary::to_string(validity)));
}

bool can_stand_in_a_uri(std::string_view name) {
    return !name.empty() && name.find_first_not_of(unreserved) == std::string_view::npos && name.find_first_not_of('.') != std::string_view::npos;
}

void check_ca(const CaSection& ca, const StatusSection& status, Faults& faults) {
    if (!can_stand_in_a_uri(ca.name))
        faults.add(ca.place, "the CA's name stands in file names and URIs of [status]: only letters, digits and - . _ ~");
    if (ca.name == root_ca_name || ca.name.starts_with(root_base_prefix))
        faults.add(ca.place, "'root' and names that begin with 'root-' are those of offline roots; choose another");
    if (ca.crl.shards > 1 && status.url.empty())
        faults.add(ca.crl.shards_place, "is more than 1, but [status] has no url: certificates must name the list that tells of them");
}

/// Later generations of a CA are known by its name and their number.
void check_generation_names(const std::vector<CaSection>& cas, Faults& faults) {
    for (const auto& ca : cas)
        for (const auto& other : cas) {
            const auto number = ca.name.starts_with(other.name + ".") ? ca.name.substr(other.name.size() + 1) : std::string{};
            if (!number.empty() && number.find_first_not_of("0123456789") == std::string::npos)
                faults.add(ca.place, fmt::format("'{}' is what generation {} of '{}' is called; choose another name", ca.name, number, other.name));
        }
}

}  // namespace

Result<std::string> status_url(std::string_view text) {
    ESTUARY_TRY(const auto url, http::Url::parse(text));
    if (url.scheme != "http" || !text.starts_with("http://"))
        return fail(Code::malformed, fmt::format("'{}' does not begin with http:// (RFC 5280 section 8: not https)", text));
    if (text.find_first_of("?#{}") != std::string_view::npos)
        return fail(Code::malformed, fmt::format("'{}' has a query, fragment or braces", text));
    while (text.ends_with('/')) text.remove_suffix(1);
    return std::string{text};
}

void read_status(Table& table, StatusSection& status) {
    table.parsed_list<net::Listen>("listen", status.listen, parse_listen);
    table.parsed<std::string>("url", status.url, status_url);
    table.choice("never_issued", status.never_issued_is_revoked, {{"unknown", false}, {"revoked", true}});
    table.duration("archive", status.archive, true);
    table.finish();
}

CrlSection read_crl(Table table) {
    CrlSection crl;
    crl.present = table.present();
    crl.place = table.place();
    crl.shards_place = table.place("shards");
    table.number("shards", crl.shards, 1, shards_max);
    table.boolean("deltas", crl.deltas);
    read_times(table, "", crl.validity, crl.interval);
    read_times(table, "delta_", crl.delta_validity, crl.delta_interval);
    table.finish();
    return crl;
}

OcspSection read_ocsp(Table table) {
    OcspSection ocsp;
    ocsp.present = table.present();
    ocsp.place = table.place();
    table.boolean("enabled", ocsp.enabled);
    table.parsed<std::string>("key_type", ocsp.key_type, signing_key_type);
    table.duration("validity", ocsp.validity);
    if (ocsp.validity < validity_min || ocsp.validity > Seconds{30 * 86400LL})
        table.fault("validity", "is not between a minute and thirty days");
    table.number("presign", ocsp.presign, 0, presign_max);
    table.finish();
    return ocsp;
}

void check_status_references(const Configuration& configuration, Faults& faults) {
    const auto& status = configuration.status;
    if (!status.present) {
        for (const auto& ca : configuration.cas) {
            if (ca.crl.present) faults.add(ca.crl.place, "there is no [status]: where would the lists be published?");
            if (ca.ocsp.present) faults.add(ca.ocsp.place, "there is no [status]: where would it answer?");
        }
        return;
    }
    for (const auto& ca : configuration.cas)
        if (!ca.upstream.present) check_ca(ca, status, faults);
    check_generation_names(configuration.cas, faults);
}

}  // namespace estuary::daemon

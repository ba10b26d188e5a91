#include "cmp_kept.h"

#include <filesystem>

#include <fmt/format.h>

#include "estuary/base/file.h"

namespace estuary::client {
namespace {

/// One line that says what it is about, then the operation as cmp::ClientTransaction::save() gives it.
class KeptFile {
public:
    KeptFile(std::string path, std::string what) : path_{std::move(path)}, what_{std::move(what) + "\n"} {}

    /// Empty: there is none.
    Outcome<ByteVec> load() const {
        if (path_.empty()) return ByteVec{};
        auto content = file::read(path_);
        if (!content && content.error().code == Code::not_found) return ByteVec{};
        if (!content) return tl::unexpected<Failure>(local_failure(std::move(content).error()));
        if (!as_text(*content).starts_with(what_))
            return usage_failure(fmt::format("{} keeps another request: name another file (--keep), or delete it", path_));
        return ByteVec{content->begin() + static_cast<std::ptrdiff_t>(what_.size()), content->end()};
    }

    Outcome<void> save(const cmp::ClientTransaction& transaction) const {
        ESTUARY_TRY_AS(const auto state, transaction.save(), local_failure);
        auto content = to_vec(as_bytes(what_));
        content.insert(content.end(), state.begin(), state.end());
        ESTUARY_CHECK_AS(file::write_atomically(path_, content, file::Access::owner_only), local_failure);
        return {};
    }

    void remove() const {
        std::error_code ignored;
        if (!path_.empty()) std::filesystem::remove(path_, ignored);
    }

private:
    std::string path_, what_;
};

std::string place(const CmpKeptOptions& options) {
    if (!options.keep.empty() || options.files.request.empty()) return options.keep;
    return options.files.request + ".kept";
}

}  // namespace

void CmpKeptOptions::add_to(CLI::App& command) {
    files.add_to(command);
    command.add_option("--keep", keep, "Keep a request that has to wait in this file, and go on with it; default: beside --request-out; rr --dir: in DIR")
        ->type_name("FILE");
}

Outcome<cmp::ClientOutcome> run_kept(CmpSession& session, cmp::Wish wish, const CmpKeptOptions& options, const std::string& what) {
    const auto path = place(options);
    if (path.empty() && options.files.given())
        return usage_failure("--answer: say with --request-out or --keep where its request was kept");
    const KeptFile kept{path, what};
    ESTUARY_TRY_OUTCOME(auto begun, kept.load());
    CmpKeeping keeping{.begun = std::move(begun), .where = path, .anew = "by deleting that file"};
    if (!path.empty()) keeping.keep = [&](const cmp::ClientTransaction& transaction) { return kept.save(transaction); };
    if (!keeping.begun.empty() && !options.files.given()) fmt::print(stderr, "Asking again for the request kept in {}.\n", path);
    auto outcome = options.files.given() ? session.run_by_files(std::move(wish), keeping, options.files) : session.run(std::move(wish), keeping);
    // What was refused, or could not be believed, does not become better by asking again.
    if (outcome || outcome.error().status == exit_refused) kept.remove();
    return outcome;
}

}  // namespace estuary::client

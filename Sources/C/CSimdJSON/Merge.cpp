#include "State.hpp"

#include <map>

namespace pyra {

namespace {

/// A member of an object: token indexes of its value, and positions in the text.
struct Member {
    uint32_t segmentStart;
    uint32_t nameStart;
    uint32_t valueToken;
    uint32_t valueStart;
    uint32_t valueEnd;
    uint32_t segmentEnd;
    std::string name;
};

/// RFC 7396 on texts: what the patch does not name is copied as it stands, the space around it included.
class Merger {
public:
    Merger(const Tokens &target, const Tokens &patch, std::vector<uint8_t> &result)
        : target(target), patch(patch), result(result) {}

    /// Writes the target's value at `targetToken` (nullptr: there is none) patched by the value at `patchToken`.
    void merge(const uint32_t *targetToken, uint32_t patchToken) {
        if (byteAt(patch, patchToken) != '{') {
            Walk walk(patch);
            walk.next = patchToken;
            uint32_t start = walk.start();
            skip(walk, PYRA_JSON_DEPTH_MAX);
            copy(patch, start, walk.valueEnd());
            return;
        }
        std::vector<Member> changes = members(patch, patchToken);
        std::vector<Member> present;
        const bool keeps = targetToken && byteAt(target, *targetToken) == '{';
        if (keeps) { present = members(target, *targetToken); }
        result.push_back('{');
        bool isFirst = true;
        std::map<std::string, const Member *> changed = byName(changes);
        std::map<std::string, bool> met;
        for (const Member &member : present) {
            auto change = changed.find(member.name);
            if (change != changed.end()) { met[member.name] = true; }
            if (change != changed.end() && byteAt(patch, change->second->valueToken) == 'n') { continue; }
            separate(isFirst);
            if (change == changed.end()) {
                copy(target, member.segmentStart, member.segmentEnd);
            } else {
                copy(target, member.segmentStart, member.valueStart);
                merge(&member.valueToken, change->second->valueToken);
                copy(target, member.valueEnd, member.segmentEnd);
            }
        }
        for (const Member &change : changes) {
            if (met.count(change.name) || byteAt(patch, change.valueToken) == 'n') { continue; }
            separate(isFirst);
            copy(patch, change.nameStart, change.valueStart);
            merge(nullptr, change.valueToken);
        }
        result.push_back('}');
    }

private:
    const Tokens &target;
    const Tokens &patch;
    std::vector<uint8_t> &result;

    static uint8_t byteAt(const Tokens &tokens, uint32_t token) { return tokens.text[tokens.at[token]]; }

    void copy(const Tokens &tokens, uint32_t from, uint32_t to) {
        result.insert(result.end(), tokens.text + from, tokens.text + to);
    }

    void separate(bool &isFirst) {
        if (!isFirst) { result.push_back(','); }
        isFirst = false;
    }

    std::vector<Member> members(const Tokens &tokens, uint32_t token) {
        std::vector<Member> found;
        Walk walk(tokens);
        walk.next = token;
        uint32_t segmentStart = walk.start() + 1;
        Fault fault = walk.eachMember([&](uint32_t quote) {
            Member member;
            member.segmentStart = segmentStart;
            member.nameStart = quote;
            member.valueToken = walk.next;
            member.valueStart = walk.start();
            skip(walk, PYRA_JSON_DEPTH_MAX);
            member.valueEnd = walk.valueEnd();
            member.segmentEnd = walk.start();
            segmentStart = member.segmentEnd + 1;
            bool escaped;
            pyra_json_slice slice = stringContent(tokens, quote, escaped);
            std::vector<uint8_t> decoded;
            decodeString(tokens.text + slice.word, slice.count, decoded);
            member.name.assign(decoded.begin(), decoded.end());
            found.push_back(std::move(member));
            return Fault::none;
        });
        if (fault != Fault::none) { raise(fault, walk.position); }
        return found;
    }

    /// Sorted, not hashed: names come from clients, who must not choose the cost of finding them.
    std::map<std::string, const Member *> byName(const std::vector<Member> &changes) {
        std::map<std::string, const Member *> changed;
        for (const Member &change : changes) {
            if (!changed.emplace(change.name, &change).second) {
                throw Failure{PYRA_JSON_DUPLICATE_FIELD, change.nameStart, 1, change.name, "appears twice in the patch"};
            }
        }
        return changed;
    }
};

Tokens wholeText(Indexer &indexer, const uint8_t *text, size_t count, int64_t item) {
    try {
        Tokens tokens = indexText(indexer, text, count);
        Walk walk(tokens);
        skip(walk, PYRA_JSON_DEPTH_MAX);
        if (!walk.atEnd()) { raise(PYRA_JSON_INVALID, walk.start(), {}, "The body goes on after its JSON text."); }
        return tokens;
    } catch (Failure &failure) {
        failure.item = item;
        throw;
    }
}

}

}

using namespace pyra;

pyra_json_code pyra_json_merge(
    pyra_json *json, const uint8_t *target, size_t target_count, const uint8_t *patch, size_t patch_count,
    const uint8_t **result, size_t *result_count, pyra_json_error *error
) {
    json->merged.clear();
    pyra_json_code code = guarded(error, [&] {
        Tokens targetTokens = wholeText(json->indexer, target, target_count, 0);
        Tokens patchTokens = wholeText(json->patchIndexer, patch, patch_count, 1);
        json->merged.reserve(target_count + patch_count);
        const uint32_t root = 0;
        Merger(targetTokens, patchTokens, json->merged).merge(&root, 0);
    });
    *result = json->merged.data();
    *result_count = json->merged.size();
    return code;
}

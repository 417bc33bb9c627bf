#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace pyra {

/// Bytes that stay where they were put until the arena goes.
class Arena {
public:
    const uint8_t *add(const uint8_t *bytes, size_t count);
    /// What its blocks take.
    size_t bytes() const { return total; }
    void clear();

private:
    std::vector<std::unique_ptr<uint8_t[]>> blocks;
    uint8_t *free = nullptr;
    size_t available = 0;
    size_t total = 0;
};

}

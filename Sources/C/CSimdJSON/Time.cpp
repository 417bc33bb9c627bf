#include "State.hpp"

namespace pyra {

namespace {

/// Reads exactly `digits` digits; false when they are not there.
bool number(const uint8_t *&byte, const uint8_t *end, int digits, int64_t &value) {
    if (end - byte < digits) { return false; }
    value = 0;
    for (int index = 0; index < digits; index++, byte++) {
        if (*byte < '0' || *byte > '9') { return false; }
        value = value * 10 + (*byte - '0');
    }
    return true;
}

bool literal(const uint8_t *&byte, const uint8_t *end, uint8_t upper) {
    if (byte == end || (*byte != upper && *byte != (upper | 0x20))) { return false; }
    byte++;
    return true;
}

bool isLeap(int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

int64_t daysInMonth(int64_t year, int64_t month) {
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && isLeap(year) ? 29 : days[month - 1];
}

/// Days from 1970-01-01, years counted from March so that the leap day is a year's last.
int64_t daysSinceEpoch(int64_t year, int64_t month, int64_t day) {
    int64_t shifted = month <= 2 ? year - 1 : year;
    int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
    int64_t yearOfEra = shifted - era * 400;
    int64_t dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719468;
}

/// `Z`, or `±hh:mm` in minutes.
bool zone(const uint8_t *&byte, const uint8_t *end, int64_t &minutes) {
    minutes = 0;
    if (literal(byte, end, 'Z')) { return true; }
    if (byte == end || (*byte != '+' && *byte != '-')) { return false; }
    int64_t sign = *byte++ == '-' ? -1 : 1, hour, minute;
    if (!number(byte, end, 2, hour) || byte == end || *byte++ != ':' || !number(byte, end, 2, minute)) { return false; }
    if (hour > 23 || minute > 59) { return false; }
    minutes = sign * (hour * 60 + minute);
    return true;
}

}

bool parseTime(const uint8_t *bytes, size_t count, int64_t &milliseconds) {
    const uint8_t *byte = bytes, *end = bytes + count;
    int64_t year, month, day, hour, minute, second, fraction = 0, offsetMinutes;
    auto sign = [&](uint8_t expected) { return byte != end && *byte++ == expected; };
    if (!number(byte, end, 4, year) || !sign('-') || !number(byte, end, 2, month) || !sign('-')
        || !number(byte, end, 2, day)) {
        return false;
    }
    if (byte != end && *byte == ' ') { byte++; } else if (!literal(byte, end, 'T')) { return false; }
    if (!number(byte, end, 2, hour) || !sign(':') || !number(byte, end, 2, minute) || !sign(':')
        || !number(byte, end, 2, second)) {
        return false;
    }
    if (byte != end && *byte == '.') {
        byte++;
        int digits = 0;
        for (; byte != end && *byte >= '0' && *byte <= '9'; byte++, digits++) {
            if (digits < 3) { fraction = fraction * 10 + (*byte - '0'); }
        }
        if (digits == 0) { return false; }
        for (; digits < 3; digits++) { fraction *= 10; }
    }
    if (!zone(byte, end, offsetMinutes) || byte != end) { return false; }
    // A leap second (60) counts as the first of the next minute.
    if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month) || hour > 23 || minute > 59
        || second > 60) {
        return false;
    }
    int64_t minutes = (daysSinceEpoch(year, month, day) * 24 + hour) * 60 + minute - offsetMinutes;
    milliseconds = (minutes * 60 + second) * 1000 + fraction;
    return true;
}

}

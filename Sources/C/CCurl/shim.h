#pragma once
#include <curl/curl.h>

// curl_easy_setopt is variadic, which Swift cannot call: one wrapper for each type of argument.

typedef size_t (*pyra_curl_data)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode pyra_curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode pyra_curl_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode pyra_curl_set_text(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode pyra_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode pyra_curl_set_function(CURL *handle, CURLoption option, pyra_curl_data value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode pyra_curl_set_fields(CURL *handle, struct curl_slist *value) {
    return curl_easy_setopt(handle, CURLOPT_HTTPHEADER, value);
}

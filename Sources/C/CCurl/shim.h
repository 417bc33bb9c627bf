#pragma once
#include <curl/curl.h>

// curl_easy_setopt is variadic, which Swift cannot call: one wrapper for each type of argument.

typedef size_t (*pyra_curl_data)(char *bytes, size_t size, size_t count, void *context);
typedef int (*pyra_curl_progress)(
    void *context, curl_off_t to_receive, curl_off_t received, curl_off_t to_send, curl_off_t sent);
typedef int (*pyra_curl_seek)(void *context, curl_off_t offset, int origin);

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
static inline CURLcode pyra_curl_set_progress(CURL *handle, pyra_curl_progress value) {
    return curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, value);
}
static inline CURLcode pyra_curl_set_seek(CURL *handle, pyra_curl_seek value) {
    return curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, value);
}
static inline CURLcode pyra_curl_set_fields(CURL *handle, struct curl_slist *value) {
    return curl_easy_setopt(handle, CURLOPT_HTTPHEADER, value);
}

#pragma once
// libcrypto of OpenSSL, which libcurl has loaded anyway.
#include <openssl/evp.h>

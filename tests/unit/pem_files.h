/* Made with openssl for these tests and used nowhere else: fixed times, so that instants can be told exactly. Keys of P-256. */
#ifndef RG_TESTS_CERTIFICATES_H
#define RG_TESTS_CERTIFICATES_H

/* CN=Test CA, 2014-01-01 to 2024-01-01 */
#define PEM_OLD                                                                                              \
    "-----BEGIN CERTIFICATE-----\n"                                                                          \
    "MIIBHjCBxQIUf/ekrVBlCF1hy49H9ny+yzDc4n4wCgYIKoZIzj0EAwIwEjEQMA4G\n"                                     \
    "A1UEAwwHVGVzdCBDQTAeFw0xNDAxMDEwMDAwMDBaFw0yNDAxMDEwMDAwMDBaMBIx\n"                                     \
    "EDAOBgNVBAMMB1Rlc3QgQ0EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQNXLoZ\n"                                     \
    "ev9MnXSXcCTk6+89NuqQ4v5xOwox4nA3UEpxd+1mgo+X3dApCSn6Xt9MGP8bSGEV\n"                                     \
    "zGtyBBuhZ3GbZWMkMAoGCCqGSM49BAMCA0gAMEUCICKhv6jl+6tTJfB0wqxsLl+t\n"                                     \
    "kWuiSpTt/KIRBnW7EpBpAiEA/RNRa4ArMIDvX8m2uG5xqDqoH/3EvZysPJ9nFuky\n"                                     \
    "q6g=\n"                                                                                                 \
    "-----END CERTIFICATE-----\n"

/* CN=Test CA, 2023-12-01 to 2034-01-01 */
#define PEM_NEW                                                                                              \
    "-----BEGIN CERTIFICATE-----\n"                                                                          \
    "MIIBHTCBxQIUAQEDGEmzdBBbUPxGEZ15/sVebocwCgYIKoZIzj0EAwIwEjEQMA4G\n"                                     \
    "A1UEAwwHVGVzdCBDQTAeFw0yMzEyMDEwMDAwMDBaFw0zNDAxMDEwMDAwMDBaMBIx\n"                                     \
    "EDAOBgNVBAMMB1Rlc3QgQ0EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATlNItZ\n"                                     \
    "RT4mR09KYDIzTPbmfzIXPrUoD6FkfhNb78t8cY1eLF/+umS+JFFdmTOyUL91vg0c\n"                                     \
    "7UFQIvuCafpvxKBjMAoGCCqGSM49BAMCA0cAMEQCIGBu7oPUaiUXmRnZaTLuO33a\n"                                     \
    "9ytI2SPOJ44i8Ev5149UAiBRfrv8qjZ0B2UwwI9Rq1me8eyyKtrJrRZ651fk2hOm\n"                                     \
    "9w==\n"                                                                                                 \
    "-----END CERTIFICATE-----\n"

/* CN=broker, O=示例, 2025-11-22 03:04:05 to 2051-06-07 08:09:10 */
#define PEM_BROKER                                                                                           \
    "-----BEGIN CERTIFICATE-----\n"                                                                          \
    "MIIBPzCB5wIUXjOaRhKssvQFZOm5vz3ZQqmO1GYwCgYIKoZIzj0EAwIwIjEPMA0G\n"                                     \
    "A1UEAwwGYnJva2VyMQ8wDQYDVQQKDAbnpLrkvoswIBcNMjUxMTIyMDMwNDA1WhgP\n"                                     \
    "MjA1MTA2MDcwODA5MTBaMCIxDzANBgNVBAMMBmJyb2tlcjEPMA0GA1UECgwG56S6\n"                                     \
    "5L6LMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEBhMQdZIAFkIOmqhUwGq5T0RG\n"                                     \
    "VK2IgV6+mLMQYNnBXrTV8sjV381+3PXRs1uXEoj3oEEyMDXR5rAZZNx0DoX/VzAK\n"                                     \
    "BggqhkjOPQQDAgNHADBEAiAztYPg6QUEil9OOV3a2Z8xO9/T4lS/wOocpDZbufnc\n"                                     \
    "kwIgINX3af29WzXhf3MT1zEPehZz56eCyHF9W5Dy07RkMxE=\n"                                                     \
    "-----END CERTIFICATE-----\n"

/* its key */
#define PEM_BROKER_KEY                                                                                       \
    "-----BEGIN EC PRIVATE KEY-----\n"                                                                       \
    "MHcCAQEEIMnipC/1izw75xi2M3S5SStb+hpjgUA8NFsG1icQB5COoAoGCCqGSM49\n"                                     \
    "AwEHoUQDQgAEBhMQdZIAFkIOmqhUwGq5T0RGVK2IgV6+mLMQYNnBXrTV8sjV381+\n"                                     \
    "3PXRs1uXEoj3oEEyMDXR5rAZZNx0DoX/Vw==\n"                                                                 \
    "-----END EC PRIVATE KEY-----\n"

/* the same, encrypted */
#define PEM_BROKER_KEY_ENCRYPTED                                                                             \
    "-----BEGIN EC PRIVATE KEY-----\n"                                                                       \
    "Proc-Type: 4,ENCRYPTED\n"                                                                               \
    "DEK-Info: AES-256-CBC,278A81F445FA3853F38171D60A9E72C7\n"                                               \
    "\n"                                                                                                     \
    "jwXBtq1r5BH66Hirop+jo9TH/+ywYMavGfy12lngOJhlJ3McF9k0bFT3twHhx9bC\n"                                     \
    "N7Ma03ooeS6DtYkm4ekji9X9OfhZerY0rYG6Mj8wzsFyk2lBhCBBHdDLIuWTwR+H\n"                                     \
    "BmkqKBi5CXotnV3Znwvyu8MA7S64di3xpwIo79xgcwA=\n"                                                         \
    "-----END EC PRIVATE KEY-----\n"

/* the same, encrypted as PKCS #8 */
#define PEM_BROKER_KEY_PKCS8                                                                                 \
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"                                                                \
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjRIuIRTROHUAICCAAw\n"                                     \
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEENmzGbvZ5uRMiZbEiaeyGwwEgZDE\n"                                     \
    "C20h9GrbiBfpgqHC/HAPqphAVjnrWmSk5A98NJXbOQ6y2bO5sIkPtvJ/6IiBdFVQ\n"                                     \
    "d74VfRJ4u4MJYwiq0U8ykWcKDMa82m2m50hGqmouh/hC+zFNezvF/azmzI0fRTYz\n"                                     \
    "AjwAMbqvNwW9FZgP2Te7d27Ir0Iz3SRgtrRHFoXcGmv+FhBEUxY/TBf16UwdxtM=\n"                                     \
    "-----END ENCRYPTED PRIVATE KEY-----\n"

/* that of another certificate */
#define PEM_OTHER_KEY                                                                                        \
    "-----BEGIN EC PRIVATE KEY-----\n"                                                                       \
    "MHcCAQEEINuchEA0Yq+tgHz0x0u1M4gf3y/2gkmYBxdM5dgy7Vg9oAoGCCqGSM49\n"                                     \
    "AwEHoUQDQgAE5TSLWUU+JkdPSmAyM0z25n8yFz61KA+hZH4TW+/LfHGNXixf/rpk\n"                                     \
    "viRRXZkzslC/db4NHO1BUCL7gmn6b8SgYw==\n"                                                                 \
    "-----END EC PRIVATE KEY-----\n"

#endif

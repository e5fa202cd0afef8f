#include "uplink/paho_tls.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypto/certificate.h"
#include "crypto/handshake.h"
#include "uplink/paho.h"

#define EXPLAIN_MS 3000 /* for each step */

static const char *ca_of(const struct paho_target *target)
{
    return target->ca ? target->ca : PAHO_SYSTEM_CA;
}

MQTTAsync_SSLOptions paho_tls_options(const struct paho_target *target,
                                      int (*error_cb)(const char *line, size_t length, void *context),
                                      void *context)
{
    MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;

    tls.trustStore = ca_of(target);
    tls.keyStore = target->cert;
    tls.privateKey = target->key;
    tls.enableServerCertAuth = 1; /* the chain */
    tls.verify = 1;               /* the host: a name, or an address as such (X509_check_ip_asc) */
    tls.disableDefaultTrustStore = 1;
    /* sslVersion is of no effect with OpenSSL 1.1 and later, and security level 2 alone lets TLS 1.1 through with RSA
     * key exchange. None of these suites exists before TLS 1.2, none goes without a certificate or in clear text; those of TLS 1.3 are
     * always on. */
    tls.sslVersion = MQTT_SSL_VERSION_DEFAULT;
    tls.enabledCipherSuites = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:!aNULL:!eNULL:@SECLEVEL=2";
    tls.ssl_error_cb = error_cb;
    tls.ssl_error_context = context;
    return tls;
}

/* thread:error:code:library:function:reason:file:line:data */
void paho_tls_reason(const char *line, size_t length, char out[PAHO_REASON_MAX])
{
    const char *end = line + length;

    out[0] = '\0';
    for (unsigned field = 0; field < 5; field++) {
        line = memchr(line, ':', (size_t)(end - line));
        if (!line)
            return;
        line++;
    }
    length = strcspn(line, ":\n");
    if (length >= PAHO_REASON_MAX)
        length = PAHO_REASON_MAX - 1;
    memcpy(out, line, length);
    out[length] = '\0';
}

static enum rg_err check_file(const char *path, char words[CERTIFICATE_WORDS])
{
    struct certificate *list = NULL;
    size_t count = 0;
    enum rg_err err = certificate_load(path, &list, &count, words);

    free(list);
    return err;
}

enum rg_err paho_tls_check(const struct paho_target *target, char why[PAHO_REASON_MAX])
{
    char words[CERTIFICATE_WORDS] = "";
    enum rg_err err = check_file(ca_of(target), words);

    if (err == RG_OK && target->cert)
        err = check_file(target->cert, words);
    if (err == RG_OK && target->cert && target->key)
        err = certificate_key_fits(target->cert, target->key, words);
    (void)text_copy(why, PAHO_REASON_MAX, words);
    return err;
}

void paho_tls_explain(const struct paho_target *target, struct paho_event *event)
{
    const struct handshake h = {.host = target->host,
                                .port = target->port,
                                .ca = ca_of(target),
                                .cert = target->cert,
                                .key = target->key,
                                .timeout_ms = EXPLAIN_MS};
    char why[HANDSHAKE_WORDS] = "";

    if (handshake_explain(&h, why) == RG_EIO)
        (void)text_copy(event->reason, sizeof(event->reason), why);
}

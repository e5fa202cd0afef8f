#include "ctl/check_certificates.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/text.h"
#include "crypto/certificate.h"
#include "crypto/expiry_stage.h"

static void check_file(const struct site_uplink *uplink, const char *key, const char *file, int64_t now_ms,
                       check_certificate_cb cb, void *arg)
{
    struct certificate *list = NULL;
    const struct certificate *first;
    size_t count = 0;
    char text[CERTIFICATE_WORDS + CERTIFICATE_SUBJECT + 128];
    enum expiry_stage stage;

    if (!file || certificate_load(file, &list, &count, text) != RG_OK)
        return;
    first = certificate_first_to_end(list, count);
    stage = expiry_stage(first->ends_ms, now_ms);
    if (stage == EXPIRY_ENDED)
        (void)text_format(text, sizeof text, "`%s`: the certificate `%s` (%s) has expired", key, file,
                          first->subject);
    else
        (void)text_format(text, sizeof text, "`%s`: the certificate `%s` (%s) ends in %" PRId64 " days", key,
                          file, first->subject, expiry_days(first->ends_ms, now_ms));
    if (stage != EXPIRY_FAR)
        cb(arg, uplink, text);
    free(list);
}

void check_certificates(const struct site *site, int64_t now_ms, check_certificate_cb cb, void *arg)
{
    for (size_t i = 0; i < site->uplink_count; i++) {
        const struct site_uplink *u = &site->uplinks[i];

        check_file(u, "cert", u->cert, now_ms, cb, arg);
        check_file(u, "ca", u->ca, now_ms, cb, arg);
    }
}

#include "crypto/handshake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/text.h"

#define SUBJECT 96
#define DATE 32

/* What the verification of the server's chain found first. */
struct finding {
    int error; /* X509_V_ERR_*; X509_V_OK: nothing */
    char subject[SUBJECT];
    char date[DATE]; /* when that certificate ends, or begins */
};

/* ---- the line ---- */

static int connect_to(const struct addrinfo *a, int timeout_ms)
{
    /* On Linux the time limit of sending is that of connecting, too. */
    const struct timeval limit = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
    int reason;

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
        connect(fd, a->ai_addr, a->ai_addrlen) == 0)
        return fd;
    reason = errno;
    (void)close(fd);
    errno = reason;
    return -1;
}

/* -1: *why says why. */
static int open_line(const struct handshake *h, char *why)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    char port[8], words[128];
    int fd = -1, rc, reason = 0;

    (void)snprintf(port, sizeof(port), "%u", (unsigned)h->port);
    rc = getaddrinfo(h->host, port, &hints, &list);
    if (rc != 0) {
        (void)text_format(why, HANDSHAKE_WORDS, "the name %s leads nowhere: %s", h->host, gai_strerror(rc));
        return -1;
    }
    for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        fd = connect_to(a, h->timeout_ms);
        reason = errno;
    }
    freeaddrinfo(list);
    if (fd < 0) {
        const char *text = reason == EINPROGRESS || reason == EAGAIN
                               ? "no answer"
                               : strerror_r(reason, words, sizeof(words));

        (void)text_format(why, HANDSHAKE_WORDS, "%s port %u: %s", h->host, (unsigned)h->port, text);
    }
    return fd;
}

/* ---- TLS ---- */

static void take_date(const ASN1_TIME *time, char out[DATE])
{
    struct tm tm = {0};

    if (ASN1_TIME_to_tm(time, &tm) != 1 || strftime(out, DATE, "%Y-%m-%d %H:%M UTC", &tm) == 0)
        (void)text_copy(out, DATE, "?");
}

static void take_subject(const X509 *x, char out[SUBJECT])
{
    BIO *words = BIO_new(BIO_s_mem());
    char *text = NULL;
    long length = 0;

    if (words && X509_NAME_print_ex(words, X509_get_subject_name(x), 0,
                                    XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0)
        length = BIO_get_mem_data(words, &text);
    (void)snprintf(out, SUBJECT, "%.*s", (int)length, text ? text : "");
    BIO_free(words);
}

static int verify_cb(int good, X509_STORE_CTX *ctx)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct finding *f = ssl ? SSL_get_app_data(ssl) : NULL;
    const X509 *x = X509_STORE_CTX_get_current_cert(ctx);

    if (good || !f || f->error != X509_V_OK)
        return good;
    f->error = X509_STORE_CTX_get_error(ctx);
    if (!x)
        return good;
    take_subject(x, f->subject);
    take_date(f->error == X509_V_ERR_CERT_NOT_YET_VALID ? X509_get0_notBefore(x) : X509_get0_notAfter(x),
              f->date);
    return good;
}

static bool set_host(SSL *ssl, const char *host)
{
    struct in6_addr address;
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

    if (inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
    return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1 &&
           SSL_set_tlsext_host_name(ssl, (char *)(uintptr_t)host) == 1;
}

static SSL_CTX *make_context(const struct handshake *h)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    bool good;

    if (!ctx)
        return NULL;
    SSL_CTX_set_security_level(ctx, 2);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, verify_cb);
    good =
        SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 && SSL_CTX_load_verify_file(ctx, h->ca) == 1;
    if (good && h->cert && h->key)
        good = SSL_CTX_use_certificate_chain_file(ctx, h->cert) == 1 &&
               SSL_CTX_use_PrivateKey_file(ctx, h->key, SSL_FILETYPE_PEM) == 1;
    if (good)
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

static const char *reason_of_library(char out[HANDSHAKE_WORDS])
{
    const char *text = ERR_reason_error_string(ERR_peek_error());

    (void)text_copy(out, HANDSHAKE_WORDS, text ? text : "TLS failed");
    return out;
}

static void explain_finding(const struct handshake *h, const struct finding *f, char *why)
{
    switch (f->error) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        (void)text_format(why, HANDSHAKE_WORDS,
                          "certificate verify failed: host name mismatch: the certificate (%s) is not for %s",
                          f->subject, h->host);
        break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        (void)text_format(why, HANDSHAKE_WORDS, "certificate verify failed: %s expired on %s", f->subject,
                          f->date);
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        (void)text_format(why, HANDSHAKE_WORDS, "certificate verify failed: %s is not valid before %s",
                          f->subject, f->date);
        break;
    default:
        (void)text_format(why, HANDSHAKE_WORDS,
                          "certificate verify failed: %s (%s); trusted is what `%s` holds",
                          X509_verify_cert_error_string(f->error), f->subject, h->ca);
        break;
    }
}

/* A server may refuse our certificate only after the handshake (TLS 1.3); one that is content waits for us to begin. */
static enum rg_err await_refusal(SSL *ssl, char *why)
{
    char byte, words[HANDSHAKE_WORDS];
    int rc = SSL_read(ssl, &byte, 1);
    int error = rc > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl, rc);

    if (error != SSL_ERROR_SSL)
        return RG_OK;
    (void)text_format(why, HANDSHAKE_WORDS, "the server refuses: %s", reason_of_library(words));
    return RG_EIO;
}

static enum rg_err shake_hands(const struct handshake *h, SSL *ssl, int fd, char *why)
{
    struct finding finding = {.error = X509_V_OK};
    char words[HANDSHAKE_WORDS];
    int rc, error, reason;

    if (SSL_set_fd(ssl, fd) != 1 || SSL_set_app_data(ssl, &finding) != 1 || !set_host(ssl, h->host))
        return RG_ENOMEM;
    errno = 0;
    rc = SSL_connect(ssl);
    reason = errno;
    if (rc == 1)
        return await_refusal(ssl, why);
    error = SSL_get_error(ssl, rc);
    if (finding.error != X509_V_OK)
        explain_finding(h, &finding, why);
    else if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        (void)text_format(why, HANDSHAKE_WORDS, "TLS: no answer on port %u", (unsigned)h->port);
    else if (error == SSL_ERROR_SYSCALL && ERR_peek_error() == 0)
        (void)text_format(why, HANDSHAKE_WORDS, "TLS: the other side ended the connection%s%s",
                          reason ? ": " : "", reason ? strerror_r(reason, words, sizeof(words)) : "");
    else
        (void)text_format(why, HANDSHAKE_WORDS, "TLS: %s", reason_of_library(words));
    return RG_EIO;
}

enum rg_err handshake_explain(const struct handshake *h, char why[HANDSHAKE_WORDS])
{
    enum rg_err err = RG_ENOMEM;
    char words[HANDSHAKE_WORDS];
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;

    ERR_clear_error();
    ctx = make_context(h);
    if (!ctx) {
        (void)text_format(why, HANDSHAKE_WORDS, "TLS: %s", reason_of_library(words));
        ERR_clear_error();
        return RG_EIO;
    }
    ssl = SSL_new(ctx);
    fd = open_line(h, why);
    if (fd < 0)
        err = RG_EIO;
    else if (ssl)
        err = shake_hands(h, ssl, fd, why);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    if (fd >= 0)
        (void)close(fd);
    ERR_clear_error();
    return err;
}

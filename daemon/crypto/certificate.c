#include "crypto/certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/text.h"

/* ---- files ---- */

static enum rg_err blame(enum rg_err err, const char *path, const char *what, char *why)
{
    (void)text_format(why, CERTIFICATE_WORDS, "`%s`: %s", path, what);
    return err;
}

static enum rg_err blame_errno(const char *path, char *why)
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR:
        return blame(RG_ENOTFOUND, path, "there is no such file", why);
    case EACCES:
    case EPERM:
        return blame(RG_EPERM, path, "may not be read by this user", why);
    default:
        return blame(RG_EIO, path, "cannot be read", why);
    }
}

static enum rg_err read_all(int fd, const char *path, char *bytes, size_t size, char *why)
{
    size_t done = 0;

    while (done < size) {
        ssize_t got = read(fd, bytes + done, size - done);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return blame_errno(path, why);
        if (got == 0)
            return blame(RG_EIO, path, "grew shorter while it was read", why);
        done += (size_t)got;
    }
    return RG_OK;
}

/* A pipe or a terminal would hold us up, so: not blocking, and regular files only. The text may hold a key: free it with wipe. */
static enum rg_err load_file(const char *path, char **text, size_t *length, char *why)
{
    struct stat st;
    enum rg_err err = RG_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    *text = NULL;
    if (fd < 0)
        return blame_errno(path, why);
    if (fstat(fd, &st) != 0)
        err = blame_errno(path, why);
    else if (!S_ISREG(st.st_mode))
        err = blame(RG_EIO, path, "is no regular file", why);
    else if (st.st_size > CERTIFICATE_FILE_BYTES)
        err = blame(RG_ERANGE, path, "is far too large for certificates", why);
    else if ((*text = malloc((size_t)st.st_size + 1)) == NULL)
        err = blame(RG_ENOMEM, path, rg_err_text(RG_ENOMEM), why);
    if (err == RG_OK) {
        *length = (size_t)st.st_size;
        err = read_all(fd, path, *text, *length, why);
    }
    (void)close(fd);
    if (err != RG_OK) {
        free(*text);
        *text = NULL;
    }
    return err;
}

static void wipe(char *text, size_t length)
{
    if (text)
        explicit_bzero(text, length);
    free(text);
}

/* ---- certificates ---- */

static bool take_time(const ASN1_TIME *time, int64_t *ms)
{
    struct tm tm = {0};

    if (ASN1_TIME_to_tm(time, &tm) != 1)
        return false;
    *ms = (int64_t)timegm(&tm) * 1000;
    return true;
}

static bool take_certificate(const X509 *x, struct certificate *out)
{
    BIO *words = BIO_new(BIO_s_mem());
    char *text = NULL;
    long length;
    bool good = words && take_time(X509_get0_notBefore(x), &out->begins_ms) &&
                take_time(X509_get0_notAfter(x), &out->ends_ms) &&
                X509_NAME_print_ex(words, X509_get_subject_name(x), 0,
                                   (XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB)) >= 0;

    if (good) {
        length = BIO_get_mem_data(words, &text);
        if (length >= CERTIFICATE_SUBJECT)
            length = CERTIFICATE_SUBJECT - 1;
        memcpy(out->subject, text, (size_t)length);
        out->subject[length] = '\0';
    }
    BIO_free(words);
    return good;
}

/* Nothing is asked of anybody on a terminal: a passphrase is not known here. */
static int no_passphrase(char *buffer, int size, int writing, void *arg)
{
    (void)buffer;
    (void)size;
    (void)writing;
    *(bool *)arg = true;
    return -1;
}

/* The end of the file, rather than something in it that is wrong. */
static bool at_end(void)
{
    unsigned long error = ERR_peek_last_error();

    return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

static enum rg_err read_list(BIO *bio, const char *path, struct certificate **list, size_t *count, char *why)
{
    size_t room = 0;
    bool asked = false;
    X509 *x;

    while ((x = PEM_read_bio_X509(bio, NULL, no_passphrase, &asked)) != NULL) {
        bool good;

        if (*count == room) {
            struct certificate *grown = realloc(*list, (room + 16) * sizeof(**list));

            if (!grown) {
                X509_free(x);
                return blame(RG_ENOMEM, path, rg_err_text(RG_ENOMEM), why);
            }
            *list = grown;
            room += 16;
        }
        good = take_certificate(x, &(*list)[*count]);
        X509_free(x);
        if (!good)
            return blame(RG_EINVAL, path, "holds a damaged certificate", why);
        (*count)++;
    }
    if (!at_end())
        return blame(RG_EINVAL, path, "holds a damaged certificate", why);
    if (*count == 0)
        return blame(RG_EINVAL, path, "holds no certificate (PEM)", why);
    return RG_OK;
}

enum rg_err certificate_load(const char *path, struct certificate **list, size_t *count,
                             char why[CERTIFICATE_WORDS])
{
    char *text = NULL;
    size_t length = 0;
    BIO *bio = NULL;
    enum rg_err err;

    *list = NULL;
    *count = 0;
    err = load_file(path, &text, &length, why);
    if (err != RG_OK)
        return err;
    ERR_clear_error();
    bio = BIO_new_mem_buf(text, (int)length);
    err = bio ? read_list(bio, path, list, count, why) : blame(RG_ENOMEM, path, rg_err_text(RG_ENOMEM), why);
    BIO_free(bio);
    ERR_clear_error();
    wipe(text, length);
    if (err != RG_OK) {
        free(*list);
        *list = NULL;
        *count = 0;
    }
    return err;
}

const struct certificate *certificate_first_to_end(const struct certificate *list, size_t count)
{
    const struct certificate *first = NULL;

    for (size_t i = 0; i < count; i++) {
        bool renewed = false;

        for (size_t k = 0; k < count && !renewed; k++)
            renewed = strcmp(list[i].subject, list[k].subject) == 0 && list[k].ends_ms > list[i].ends_ms;
        if (!renewed && (!first || list[i].ends_ms < first->ends_ms))
            first = &list[i];
    }
    return first;
}

/* ---- keys ---- */

static enum rg_err load_key(const char *path, EVP_PKEY **key, char *why)
{
    char *text = NULL;
    size_t length = 0;
    bool asked = false;
    BIO *bio = NULL;
    enum rg_err err = load_file(path, &text, &length, why);

    *key = NULL;
    if (err != RG_OK)
        return err;
    bio = BIO_new_mem_buf(text, (int)length);
    if (bio)
        *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked);
    BIO_free(bio);
    wipe(text, length);
    if (asked)
        err = blame(RG_EINVAL, path, "the key is encrypted with a passphrase, which nobody is there to give",
                    why);
    else if (!*key)
        err = blame(RG_EINVAL, path, "holds no private key (PEM)", why);
    return err;
}

static enum rg_err load_first(const char *path, X509 **first, char *why)
{
    char *text = NULL;
    size_t length = 0;
    bool asked = false;
    BIO *bio = NULL;
    enum rg_err err = load_file(path, &text, &length, why);

    *first = NULL;
    if (err != RG_OK)
        return err;
    bio = BIO_new_mem_buf(text, (int)length);
    if (bio)
        *first = PEM_read_bio_X509(bio, NULL, no_passphrase, &asked);
    BIO_free(bio);
    wipe(text, length);
    return *first ? RG_OK : blame(RG_EINVAL, path, "holds no certificate (PEM)", why);
}

enum rg_err certificate_key_fits(const char *certificate_path, const char *key_path,
                                 char why[CERTIFICATE_WORDS])
{
    X509 *x = NULL;
    EVP_PKEY *key = NULL;
    enum rg_err err;

    ERR_clear_error();
    err = load_first(certificate_path, &x, why);
    if (err == RG_OK)
        err = load_key(key_path, &key, why);
    if (err == RG_OK && X509_check_private_key(x, key) != 1) {
        (void)text_format(why, CERTIFICATE_WORDS, "`%s`: the key does not fit the certificate `%s`", key_path,
                          certificate_path);
        err = RG_EINVAL;
    }
    EVP_PKEY_free(key);
    X509_free(x);
    ERR_clear_error();
    return err;
}

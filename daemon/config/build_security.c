/* What an uplink's secrets and certificates are worth: that no password goes out in clear unless it is said so, and that the files are of
 * use. Files may be put in place later, so what is wrong with them is a warning. Whether certificates are out of date is
 * told by those who know the time. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/build.h"
#include "config/issue.h"
#include "config/value.h"
#include "crypto/certificate.h"

static bool is_there(struct build *b, const struct node *node, const char *path)
{
    if (!path || b->ld->text_only)
        return false;
    if (access(path, F_OK) == 0)
        return true;
    if (load_is_credential(node->text) && !load_has_credentials())
        return false; /* it is there for the service alone, and only while it runs */
    issue_warning(b->ld, node_place(node), "`%s`: there is no file `%s` on this machine", node->key,
                  shown(path).text);
    return false;
}

/* Nothing of what is in it is kept. */
static bool is_empty(const char *path)
{
    char first = '\n';
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    bool empty = fd >= 0 && (read(fd, &first, 1) != 1 || first == '\n' || first == '\r');

    if (fd >= 0)
        (void)close(fd);
    explicit_bzero(&first, 1);
    return empty;
}

static void check_secret(struct build *b, const struct node *node, const char *path, bool password)
{
    struct stat st;
    const struct shown name = shown(path);

    if (stat(path, &st) != 0)
        return;
    if (!S_ISREG(st.st_mode))
        issue_warning(b->ld, node_place(node), "`%s`: `%s` is no regular file", node->key, name.text);
    else if (access(path, R_OK) != 0)
        issue_warning(b->ld, node_place(node), "`%s`: `%s` may not be read by this user", node->key,
                      name.text);
    else if (password && is_empty(path))
        issue_warning(b->ld, node_place(node), "`%s`: the first line of `%s` is empty", node->key, name.text);
    if (load_is_credential(node->text))
        return; /* its rights are systemd's affair, and an access list makes them look wider */
    if (S_ISREG(st.st_mode) && (st.st_mode & (S_IRGRP | S_IROTH | S_IWGRP | S_IWOTH)))
        issue_warning(b->ld, node_place(node), "`%s`: others can get at `%s` (mode %03o); chmod 600 it",
                      node->key, name.text, (unsigned)(st.st_mode & 0777));
}

static bool check_certificates(struct build *b, const struct node *node, const char *path)
{
    struct certificate *list = NULL;
    size_t count = 0;
    char why[CERTIFICATE_WORDS];
    enum rg_err err;

    if (!is_there(b, node, path))
        return false;
    err = certificate_load(path, &list, &count, why);
    free(list);
    if (err != RG_OK)
        issue_warning(b->ld, node_place(node), "`%s`: %s", node->key, why);
    return err == RG_OK;
}

static void check_tls(struct build *b, const struct site_uplink *uplink, const struct node *tls)
{
    const struct node *key = node_get(tls, "key");
    char why[CERTIFICATE_WORDS];
    bool certificate, secret;

    if (!uplink->cert != !uplink->key)
        issue_error(b->ld, node_key_place(tls), "`tls`: `cert` and `key` belong together; `%s` is missing",
                    uplink->cert ? "key" : "cert");
    (void)check_certificates(b, node_get(tls, "ca"), uplink->ca);
    certificate = check_certificates(b, node_get(tls, "cert"), uplink->cert);
    secret = is_there(b, key, uplink->key);
    if (secret)
        check_secret(b, key, uplink->key, false);
    if (certificate && secret && certificate_key_fits(uplink->cert, uplink->key, why) != RG_OK)
        issue_warning(b->ld, node_place(key), "`key`: %s", why);
}

/* A password over mqtt:// can be read by whoever carries it, and is good for whatever it opens. */
static void check_clear_text(struct build *b, const struct site_uplink *uplink, const struct node *node)
{
    bool bare = !uplink->tls && uplink->password_file && !value_is_loopback(uplink->host);

    if (bare && uplink->insecure)
        issue_warning(b->ld, node_place(node_get(node, "url")),
                      "the password goes to `%s` in clear text, as `insecure` allows", uplink->host);
    else if (bare)
        issue_error(b->ld, node_place(node_get(node, "url")),
                    "the password would go to `%s` in clear text: use mqtts://, or say `insecure: true`",
                    uplink->host);
    else if (uplink->insecure)
        issue_warning(b->ld, node_key_place(node_get(node, "insecure")),
                      "`insecure` is of no effect here: no password goes out in clear text");
}

void build_security(struct build *b, const struct site_uplink *uplink, const struct node *node)
{
    const struct node *tls = node_get(node, "tls");
    const struct node *password = node_get(node, "password_file");

    if (is_there(b, password, uplink->password_file))
        check_secret(b, password, uplink->password_file, true);
    check_tls(b, uplink, tls);
    if (uplink->v311 && uplink->password_file && !uplink->username)
        issue_error(b->ld, node_key_place(password), "MQTT 3.1.1 takes no password without a `username`");
    if (!uplink->host)
        return;
    if (!uplink->tls && tls)
        issue_error(b->ld, node_key_place(tls),
                    "`tls` is given but the url is mqtt://; did you mean mqtts://?");
    check_clear_text(b, uplink, node);
}

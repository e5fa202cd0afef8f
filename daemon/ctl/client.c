#include "ctl/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"

static const char *what_to_try(int err)
{
    if (err == EACCES || err == EPERM)
        return "its socket is for root and its group alone (see `control` of the configuration)";
    if (err == ENOENT || err == ECONNREFUSED)
        return "does it run (systemctl status riskgate), and is this its socket (--socket)?";
    return "it may be too busy: try again";
}

static int client_connect(const char *path, int timeout_s, struct client_answer *out)
{
    const struct timeval limit = {.tv_sec = timeout_s};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (!text_copy(address.sun_path, sizeof address.sun_path, path)) {
        (void)text_format(out->problem, sizeof out->problem, "the socket's path is too long: %.128s", path);
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* The limits first: to a daemon that hangs, with all its places taken, connect would wait for ever. */
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0 ||
        connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        out->nobody = fd >= 0 && (errno == ENOENT || errno == ECONNREFUSED);
        (void)text_format(out->problem, sizeof out->problem, "riskgated does not answer at %.128s: %s; %s",
                          path, strerror(errno), what_to_try(errno));
        if (fd >= 0)
            (void)close(fd);
        return -1;
    }
    return fd;
}

static bool client_send(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        bytes += sent;
        length -= (size_t)sent;
    }
    return true;
}

/* Reads up to the line's end into memory that grows; NULL on any failure. */
static char *client_read_line(int fd, size_t *length)
{
    size_t capacity = 65536, used = 0;
    char *text = malloc(capacity);

    while (text) {
        ssize_t got;

        if (used == capacity) {
            char *grown = capacity < CLIENT_ANSWER_MAX ? realloc(text, 2 * capacity) : NULL;

            if (!grown)
                break;
            text = grown;
            capacity *= 2;
        }
        got = recv(fd, text + used, capacity - used, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        used += (size_t)got;
        if (text[used - 1] == '\n') {
            *length = used - 1;
            text[used - 1] = '\0';
            return text;
        }
    }
    free(text);
    return NULL;
}

void client_ask(const char *socket_path, const struct jsonw *request, int timeout_s,
                struct client_answer *out)
{
    size_t length = 0;
    int fd;

    memset(out, 0, sizeof *out);
    fd = client_connect(socket_path, timeout_s, out);
    if (fd < 0)
        return;
    if (client_send(fd, request->text, request->length) && client_send(fd, "\n", 1))
        out->text = client_read_line(fd, &length);
    (void)close(fd);
    if (!out->text || json_parse(out->text, length, CLIENT_ANSWER_MAX, &out->answer) != RG_OK) {
        (void)text_format(out->problem, sizeof out->problem, "riskgated at %.128s gave no whole answer",
                          socket_path);
        return;
    }
    out->reached = true;
    if (!json_bool(json_get(out->answer, "ok"), false)) {
        const char *error = json_string(json_get(out->answer, "error"));

        (void)text_copy(out->problem, sizeof out->problem, error ? error : "refused");
    }
}

void client_answer_free(struct client_answer *answer)
{
    json_free(answer->answer);
    free(answer->text);
    answer->answer = NULL;
    answer->text = NULL;
}

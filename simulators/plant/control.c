#include "plant/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "plant/plant.h"

#define CLIENTS_MAX 16
#define LINE_MAX_BYTES 512

struct client {
    struct source source;
    size_t length;
    char line[LINE_MAX_BYTES];
    char *out; /* what the socket would not take yet; NULL: nothing */
    size_t out_length, out_done;
};

struct control {
    struct source source;
    struct client clients[CLIENTS_MAX];
    struct sockaddr_un address;
    bool bound;
};

static void client_close(struct client *client)
{
    plant_close(&client->source);
    free(client->out);
    *client = (struct client){.source = {.fd = -1}};
}

/* Sends what waits and asks epoll for what is needed next. False: the client is gone. */
static bool client_flush(struct plant *plant, struct client *client)
{
    while (client->out_done < client->out_length) {
        ssize_t sent = send(client->source.fd, client->out + client->out_done,
                            client->out_length - client->out_done, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN)
            break;
        if (sent < 0 && errno != EINTR) {
            client_close(client);
            return false;
        }
        client->out_done += sent > 0 ? (size_t)sent : 0;
    }
    bool waits = client->out_done < client->out_length;
    if (!waits) {
        free(client->out);
        client->out = NULL;
        client->out_length = client->out_done = 0;
    }
    struct epoll_event event = {.events = waits ? EPOLLOUT : EPOLLIN, .data.ptr = &client->source};
    if (epoll_ctl(plant->epoll, EPOLL_CTL_MOD, client->source.fd, &event) != 0) {
        client_close(client);
        return false;
    }
    return true;
}

static bool client_line(struct plant *plant, struct client *client, char *line)
{
    FILE *out = open_memstream(&client->out, &client->out_length);
    if (out == NULL) {
        client_close(client);
        return false;
    }
    command_run(plant, line, out);
    if (fclose(out) != 0) {
        client_close(client);
        return false;
    }
    return client_flush(plant, client);
}

/* Runs the whole lines, but none while an answer still waits: a client that does not read stops only itself. */
static void client_lines(struct plant *plant, struct client *client)
{
    char *end;
    while (client->out == NULL && (end = memchr(client->line, '\n', client->length)) != NULL) {
        char line[LINE_MAX_BYTES];
        size_t length = (size_t)(end - client->line);
        memcpy(line, client->line, length);
        line[length] = '\0';
        client->length -= length + 1;
        memmove(client->line, end + 1, client->length);
        if (!client_line(plant, client, line))
            return;
    }
    if (client->length == sizeof(client->line) && client->out == NULL)
        client_close(client); /* a line longer than any command */
}

static void client_ready(struct plant *plant, struct source *source, uint32_t events)
{
    struct client *client = (struct client *)source;
    if (client->out != NULL) {
        if ((events & (EPOLLERR | EPOLLHUP)) != 0)
            client_close(client);
        else if (client_flush(plant, client))
            client_lines(plant, client);
        return;
    }
    ssize_t got = read(source->fd, client->line + client->length, sizeof(client->line) - client->length);
    if (got <= 0) {
        if (got == 0 || (errno != EAGAIN && errno != EINTR))
            client_close(client);
        return;
    }
    client->length += (size_t)got;
    client_lines(plant, client);
}

static void control_ready(struct plant *plant, struct source *source, uint32_t events)
{
    struct control *control = (struct control *)source;
    (void)events;
    int fd = accept4(source->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &control->clients[i];
        if (client->source.fd >= 0)
            continue;
        client->source = (struct source){.fd = fd, .ready_cb = client_ready};
        if (!plant_watch(plant, &client->source, EPOLLIN))
            client_close(client);
        return;
    }
    (void)close(fd);
}

/* Removes a socket that nobody answers on; false: somebody does, or it is no socket. */
static bool clear_place(const struct sockaddr_un *address)
{
    struct stat status;
    if (lstat(address->sun_path, &status) != 0)
        return errno == ENOENT;
    if (!S_ISSOCK(status.st_mode)) {
        errno = EEXIST;
        return false;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool alive = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;
    (void)close(fd);
    if (alive)
        errno = EADDRINUSE;
    return !alive && unlink(address->sun_path) == 0;
}

static bool control_listen(struct plant *plant, struct control *control)
{
    if (!clear_place(&control->address))
        return false;
    control->source.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (control->source.fd < 0)
        return false;
    mode_t before = umask(0177);
    control->bound =
        bind(control->source.fd, (const struct sockaddr *)&control->address, sizeof(control->address)) == 0;
    int saved = errno;
    (void)umask(before);
    errno = saved;
    return control->bound && listen(control->source.fd, CLIENTS_MAX) == 0 &&
           plant_watch(plant, &control->source, EPOLLIN);
}

struct control *control_create(struct plant *plant, const char *path)
{
    struct control *control = calloc(1, sizeof(*control));
    if (control == NULL) {
        fputs("riskgate-plant: out of memory\n", stderr);
        return NULL;
    }
    control->source = (struct source){.fd = -1, .ready_cb = control_ready};
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        control->clients[i].source.fd = -1;
    control->address.sun_family = AF_UNIX;
    bool fits = strlen(path) < sizeof(control->address.sun_path);
    if (fits)
        memcpy(control->address.sun_path, path, strlen(path) + 1);
    else
        errno = ENAMETOOLONG;
    if (fits && control_listen(plant, control))
        return control;
    fprintf(stderr, "riskgate-plant: control socket %s: %s\n", path, strerror(errno));
    control_destroy(control);
    return NULL;
}

void control_destroy(struct control *control)
{
    if (control == NULL)
        return;
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        client_close(&control->clients[i]);
    plant_close(&control->source);
    if (control->bound)
        (void)unlink(control->address.sun_path);
    free(control);
}

/* Local stream sockets: a listener and its peers.
 *
 * A peer is OPEN until one side ends, FLUSHING while what was written goes out, CLOSING once libuv was told to close it. Its
 * `closed` is called from libuv's close callback, but for loop_listener_destroy, which calls it at once. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loop/internal.h"

#define LOCAL_BACKLOG 16
#define LOCAL_READ_BYTES ((size_t)16 << 10)
#define LOCAL_FLUSH_MS 3000 /* for a peer that does not read what it asked for */

enum peer_state { PEER_OPEN, PEER_FLUSHING, PEER_CLOSING };

struct loop_peer {
    uv_pipe_t uv;
    uv_timer_t cut;                 /* the end of flushing */
    unsigned handles;               /* of these two: not closed yet */
    struct loop_listener *listener; /* NULL once that is destroyed */
    struct loop_peer *previous, *next;
    void (*read)(void *context, const char *bytes, size_t length);
    void (*closed)(void *context);
    void *context; /* NULL: the owner does not know it, or not any more */
    enum peer_state state;
};

struct loop_listener {
    uv_pipe_t uv;
    uv_pipe_t refused; /* takes a connection only to close it */
    struct loop *loop;
    struct loop_peer_cbs cbs;
    void *arg;
    char *path;
    struct local_file file;
    struct loop_peer *peers;
    unsigned peer_count, max_peers;
    unsigned closing; /* of uv and refused: close callbacks that have not come yet */
    bool refusing;    /* refused is in use */
    bool waiting;     /* and one more connection waits for it */
    bool destroyed;
    char bytes[LOCAL_READ_BYTES]; /* shared: libuv fills and delivers it in one go */
};

struct local_write {
    uv_write_t uv;
    char bytes[];
};

/* ---- peers ---- */

static void peer_tell_closed(struct loop_peer *peer)
{
    void *context = peer->context;

    peer->context = NULL;
    if (context)
        peer->closed(context);
}

static void peer_unlink(struct loop_peer *peer)
{
    struct loop_listener *l = peer->listener;

    if (!l)
        return;
    if (peer->previous)
        peer->previous->next = peer->next;
    else
        l->peers = peer->next;
    if (peer->next)
        peer->next->previous = peer->previous;
    l->peer_count--;
    peer->listener = NULL;
}

static void on_peer_closed(uv_handle_t *handle)
{
    struct loop_peer *peer = handle->data;

    if (--peer->handles > 0)
        return;
    peer_unlink(peer);
    peer_tell_closed(peer);
    free(peer);
}

static void peer_end(struct loop_peer *peer)
{
    if (peer->state == PEER_CLOSING)
        return;
    peer->state = PEER_CLOSING;
    uv_close((uv_handle_t *)&peer->uv, on_peer_closed);
    uv_close((uv_handle_t *)&peer->cut, on_peer_closed);
}

static void on_cut(uv_timer_t *timer)
{
    peer_end(timer->data);
}

void loop_peer_close(struct loop_peer *peer)
{
    if (peer->state != PEER_OPEN)
        return;
    peer->state = PEER_FLUSHING;
    (void)uv_read_stop((uv_stream_t *)&peer->uv);
    /* It fails only without a callback. */
    (void)uv_timer_start(&peer->cut, on_cut, LOCAL_FLUSH_MS, 0);
    if (uv_stream_get_write_queue_size((uv_stream_t *)&peer->uv) == 0)
        peer_end(peer);
}

void loop_peer_drop(struct loop_peer *peer)
{
    peer_end(peer);
}

static void on_written(uv_write_t *uv, int status)
{
    struct loop_peer *peer = uv->handle->data;

    free(uv->data);
    if (status != 0)
        peer_end(peer);
    else if (peer->state == PEER_FLUSHING && uv_stream_get_write_queue_size((uv_stream_t *)&peer->uv) == 0)
        peer_end(peer);
}

size_t loop_peer_waiting(const struct loop_peer *peer)
{
    return peer->state == PEER_OPEN ? uv_stream_get_write_queue_size((const uv_stream_t *)&peer->uv) : 0;
}

enum rg_err loop_peer_write(struct loop_peer *peer, const char *bytes, size_t length)
{
    struct local_write *write;
    size_t waiting;
    uv_buf_t buffer;

    if (peer->state != PEER_OPEN)
        return RG_ESTATE;
    if (length == 0)
        return RG_OK;
    waiting = loop_peer_waiting(peer);
    if (length > LOOP_PEER_WAITING_MAX || waiting > LOOP_PEER_WAITING_MAX - length) {
        peer_end(peer);
        return RG_EFULL;
    }
    write = malloc(sizeof *write + length);
    if (!write) {
        peer_end(peer);
        return RG_ENOMEM;
    }
    memcpy(write->bytes, bytes, length);
    write->uv.data = write;
    buffer = uv_buf_init(write->bytes, (unsigned)length);
    if (uv_write(&write->uv, (uv_stream_t *)&peer->uv, &buffer, 1, on_written) != 0) {
        free(write);
        peer_end(peer);
        return RG_EIO;
    }
    return RG_OK;
}

static void on_read_memory(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    const struct loop_peer *peer = handle->data;

    (void)suggested;
    /* No memory is an error of the read (UV_ENOBUFS); it does not come to that, as reading ends with the listener. */
    *buffer = peer->listener ? uv_buf_init(peer->listener->bytes, sizeof peer->listener->bytes)
                             : uv_buf_init(NULL, 0);
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    struct loop_peer *peer = stream->data;

    if (peer->state != PEER_OPEN)
        return;
    if (length > 0)
        peer->read(peer->context, buffer->base, (size_t)length);
    else if (length == UV_EOF)
        loop_peer_close(peer);
    else if (length < 0)
        peer_end(peer);
}

/* ---- the listener ---- */

static void on_connection(uv_stream_t *stream, int status);

static void listener_free_when_closed(struct loop_listener *l)
{
    if (!l->destroyed || l->closing > 0)
        return;
    free(l->path);
    free(l);
}

static void on_refused_closed(uv_handle_t *handle)
{
    struct loop_listener *l = handle->data;

    l->closing--;
    l->refusing = false;
    if (l->waiting && !l->destroyed) {
        l->waiting = false;
        on_connection((uv_stream_t *)&l->uv, 0);
    }
    listener_free_when_closed(l);
}

/* A connection must be accepted to be got rid of, and libuv reports no other before. */
static void listener_refuse(struct loop_listener *l)
{
    if (l->refusing || uv_pipe_init(&l->loop->uv, &l->refused, 0) != 0) {
        l->waiting = true;
        return;
    }
    l->refused.data = l;
    l->refusing = true;
    l->closing++;
    (void)uv_accept((uv_stream_t *)&l->uv, (uv_stream_t *)&l->refused);
    uv_close((uv_handle_t *)&l->refused, on_refused_closed);
}

static struct loop_peer *listener_accept(struct loop_listener *l)
{
    struct loop_peer *peer = calloc(1, sizeof *peer);

    if (!peer)
        return NULL;
    if (uv_pipe_init(&l->loop->uv, &peer->uv, 0) != 0) {
        free(peer);
        return NULL;
    }
    (void)uv_timer_init(&l->loop->uv, &peer->cut); /* never fails */
    peer->handles = 2;
    peer->uv.data = peer;
    peer->cut.data = peer;
    peer->read = l->cbs.read;
    peer->closed = l->cbs.closed;
    peer->listener = l;
    peer->next = l->peers;
    if (l->peers)
        l->peers->previous = peer;
    l->peers = peer;
    l->peer_count++;
    if (uv_accept((uv_stream_t *)&l->uv, (uv_stream_t *)&peer->uv) != 0)
        peer_end(peer);
    return peer;
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct loop_listener *l = stream->data;
    struct loop_peer *peer;
    uv_os_fd_t fd = -1;
    uint32_t uid = 0;

    if (status != 0 || l->destroyed)
        return;
    peer = l->peer_count < l->max_peers ? listener_accept(l) : NULL;
    if (!peer) {
        listener_refuse(l);
        return;
    }
    if (peer->state != PEER_OPEN)
        return;
    if (uv_fileno((uv_handle_t *)&peer->uv, &fd) != 0 || !local_peer_uid(fd, &uid)) {
        peer_end(peer);
        return;
    }
    /* open may write to the peer, close it or destroy the listener: then its state says so and closed follows. */
    peer->context = l->cbs.open(l->arg, peer, uid);
    if (!peer->context ||
        (peer->state == PEER_OPEN && uv_read_start((uv_stream_t *)&peer->uv, on_read_memory, on_read) != 0))
        peer_end(peer);
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct loop_listener *l = handle->data;

    l->closing--;
    listener_free_when_closed(l);
}

/* Takes over fd. */
static int listener_start(struct loop_listener *l, int fd)
{
    int rc = uv_pipe_open(&l->uv, fd);

    if (rc != 0) {
        (void)close(fd);
        return rc;
    }
    return uv_listen((uv_stream_t *)&l->uv, LOCAL_BACKLOG, on_connection);
}

enum rg_err loop_listen_local(struct loop *loop, const char *path, unsigned mode, uint32_t group,
                              unsigned max_peers, const struct loop_peer_cbs *cbs, void *arg,
                              struct loop_listener **out, int *reason)
{
    struct loop_listener *l = calloc(1, sizeof *l);
    enum rg_err err = RG_ENOMEM;
    int unused = 0;
    int fd = -1;
    int rc;

    if (!reason)
        reason = &unused;
    *out = NULL;
    *reason = 0;
    if (!l)
        return RG_ENOMEM;
    l->loop = loop;
    l->cbs = *cbs;
    l->arg = arg;
    l->max_peers = max_peers;
    l->path = strdup(path);
    if (!l->path)
        goto fail;
    rc = uv_pipe_init(&loop->uv, &l->uv, 0);
    err = loop_error(rc);
    if (rc != 0)
        goto fail;
    l->uv.data = l;
    l->closing = 1;
    err = local_bind(path, mode, group, &fd, &l->file, reason);
    if (err != RG_OK)
        goto fail_bind;
    rc = listener_start(l, fd);
    if (rc != 0)
        goto fail_start;
    loop->alive++;
    *out = l;
    return RG_OK;

fail_start:
    *reason = -rc; /* libuv's errors are negative errno values on Unix */
    err = RG_EIO;
    local_unlink(path, &l->file);
fail_bind:
    l->destroyed = true;
    uv_close((uv_handle_t *)&l->uv, on_listener_closed);
    return err;
fail:
    free(l->path);
    free(l);
    return err;
}

enum rg_err loop_listener_grant(struct loop_listener *l, uint32_t group, int *reason)
{
    return local_grant(l->path, &l->file, group, reason);
}

bool loop_peer_in_group(const struct loop_peer *peer, uint32_t group)
{
    uv_os_fd_t fd = -1;

    return peer->state == PEER_OPEN && uv_fileno((const uv_handle_t *)&peer->uv, &fd) == 0 &&
           local_peer_in_group(fd, group);
}

void loop_listener_destroy(struct loop_listener *l)
{
    if (!l)
        return;
    l->destroyed = true;
    l->loop->alive--;
    local_unlink(l->path, &l->file);
    while (l->peers) {
        struct loop_peer *peer = l->peers;

        peer_unlink(peer);
        peer_end(peer);
        peer_tell_closed(peer);
    }
    uv_close((uv_handle_t *)&l->uv, on_listener_closed);
}

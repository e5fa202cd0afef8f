/* LINK rg_loop rg_base rg_test_support Threads::Threads; LABEL tsan */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "loop/loop.h"
#include "support_tmp.h"

#define PATIENCE_MS 10000
#define PEERS 8
#define LARGE ((size_t)3 << 20)

struct server;

struct guest {
    struct server *server;
    struct loop_peer *peer;
    bool closed;
};

struct server {
    struct loop *loop;
    struct loop_listener *listener;
    struct loop_timer *timer;
    bool out_of_time;
    char folder[SUPPORT_TMP_SIZE];
    char path[SUPPORT_TMP_SIZE + 8];
    struct guest guests[PEERS];
    unsigned opened, closed;
    char got[1024];
    size_t got_length;
    unsigned stop_after_closed; /* of guests */
    bool refuse, greet_and_close, destroy_in_open, destroy_in_read, flood, large;
    enum rg_err flood_err;
    uint32_t uid;
};

static void destroy_listener(struct server *s)
{
    loop_listener_destroy(s->listener);
    s->listener = NULL;
}

static void *on_open(void *arg, struct loop_peer *peer, uint32_t uid)
{
    struct server *s = arg;
    struct guest *g = &s->guests[s->opened];

    assert_true(s->opened < PEERS);
    s->uid = uid;
    s->opened++;
    if (s->refuse) {
        loop_stop(s->loop);
        return NULL;
    }
    *g = (struct guest){.server = s, .peer = peer};
    if (s->greet_and_close) {
        assert_int_equal(loop_peer_write(peer, "hello", 5), RG_OK);
        loop_peer_close(peer);
        loop_peer_close(peer);
        assert_int_equal(loop_peer_write(peer, "more", 4), RG_ESTATE);
        assert_false(g->closed);
    }
    if (s->destroy_in_open) {
        destroy_listener(s);
        loop_stop(s->loop);
    }
    return g;
}

/* Writes without end to a peer that does not read. */
static void flood(struct server *s, struct guest *g)
{
    size_t size = (size_t)256 << 10;
    char *bytes = calloc(1, size);

    assert_non_null(bytes);
    for (int i = 0; i < 1000 && s->flood_err == RG_OK; i++)
        s->flood_err = loop_peer_write(g->peer, bytes, size);
    free(bytes);
    assert_false(g->closed);
    assert_int_equal(loop_peer_write(g->peer, "x", 1), RG_ESTATE);
}

static void on_read(void *context, const char *bytes, size_t length)
{
    struct guest *g = context;
    struct server *s = g->server;

    assert_false(g->closed);
    assert_true(length > 0 && length <= sizeof s->got - s->got_length);
    memcpy(s->got + s->got_length, bytes, length);
    s->got_length += length;
    if (s->flood) {
        flood(s, g);
    } else if (s->large) {
        char *answer = calloc(1, LARGE);

        assert_non_null(answer);
        assert_int_equal(loop_peer_write(g->peer, answer, LARGE), RG_OK);
        free(answer);
    } else if (s->destroy_in_read) {
        destroy_listener(s);
        assert_true(g->closed);
        loop_stop(s->loop);
    } else {
        assert_int_equal(loop_peer_write(g->peer, bytes, length), RG_OK);
    }
}

static void on_closed(void *context)
{
    struct guest *g = context;

    assert_false(g->closed);
    g->closed = true;
    if (++g->server->closed == g->server->stop_after_closed)
        loop_stop(g->server->loop);
}

static void on_out_of_time(void *arg)
{
    struct server *s = arg;

    s->out_of_time = true;
    loop_stop(s->loop);
}

static const struct loop_peer_cbs cbs = {on_open, on_read, on_closed};

static void begin(struct server *s)
{
    *s = (struct server){.uid = UINT32_MAX};
    assert_true(support_tmp_dir(s->folder));
    (void)snprintf(s->path, sizeof s->path, "%s/s", s->folder);
    assert_int_equal(loop_create(&s->loop), RG_OK);
    assert_int_equal(loop_timer_create(s->loop, on_out_of_time, s, &s->timer), RG_OK);
    loop_timer_at(s->timer, loop_mono_ms(s->loop) + PATIENCE_MS);
    assert_int_equal(
        loop_listen_local(s->loop, s->path, 0660, LOOP_GROUP_OWN, PEERS - 2, &cbs, s, &s->listener, NULL),
        RG_OK);
}

static void run(struct server *s)
{
    loop_run(s->loop);
    assert_false(s->out_of_time);
}

static void end(struct server *s)
{
    struct stat st;

    destroy_listener(s);
    loop_timer_destroy(s->timer);
    assert_int_equal(loop_destroy(s->loop), RG_OK);
    assert_int_equal(s->closed, s->refuse ? 0 : s->opened);
    assert_int_equal(lstat(s->path, &st), -1);
    assert_true(support_tmp_remove(s->folder));
}

static void set_address(struct sockaddr_un *address, const char *path)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    assert_true(strlen(path) < sizeof address->sun_path);
    memcpy(address->sun_path, path, strlen(path));
}

static int connect_to(const char *path)
{
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    set_address(&address, path);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Everything until the other side closes. */
static size_t read_all(int fd, char *out, size_t size)
{
    size_t length = 0;
    ssize_t n;

    while ((n = read(fd, out + length, size - length)) > 0)
        length += (size_t)n;
    assert_true(n == 0 || errno == ECONNRESET);
    return length;
}

static void what_is_said_is_answered_before_the_end(void **state)
{
    struct server s;
    char answer[64];
    int fd;

    (void)state;
    begin(&s);
    fd = connect_to(s.path);
    assert_int_equal(write(fd, "status\n", 7), 7);
    /* Its side is ended at once; the answer must come all the same. */
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    s.stop_after_closed = 1;
    run(&s);
    assert_int_equal(read_all(fd, answer, sizeof answer), 7);
    assert_memory_equal(answer, "status\n", 7);
    assert_int_equal(s.uid, getuid());
    assert_int_equal(close(fd), 0);
    end(&s);
}

/* Reads slowly, from a thread of its own, all of an answer that no socket buffer holds. */
static void *read_slowly(void *arg)
{
    const int *fd = arg;
    static char bytes[4096]; /* of no further interest */
    size_t total = 0;
    ssize_t n;

    while ((n = read(*fd, bytes, sizeof bytes)) > 0)
        total += (size_t)n;
    return (void *)(uintptr_t)total;
}

static void a_large_answer_comes_whole_after_the_end(void **state)
{
    pthread_t reader;
    struct server s;
    void *total;
    int fd;

    (void)state;
    begin(&s);
    s.large = true;
    s.stop_after_closed = 1;
    fd = connect_to(s.path);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_int_equal(pthread_create(&reader, NULL, read_slowly, &fd), 0);
    run(&s);
    assert_int_equal(pthread_join(reader, &total), 0);
    assert_int_equal((uintptr_t)total, LARGE);
    assert_int_equal(close(fd), 0);
    end(&s);
}

static void close_lets_out_what_was_written(void **state)
{
    struct server s;
    char answer[64];
    int fd;

    (void)state;
    begin(&s);
    s.greet_and_close = true;
    s.stop_after_closed = 1;
    fd = connect_to(s.path);
    run(&s);
    assert_int_equal(read_all(fd, answer, sizeof answer), 5);
    assert_int_equal(close(fd), 0);
    end(&s);
}

static void run_until_readable(struct server *s, int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    for (int turns = 0; poll(&p, 1, 0) == 0 && turns < PATIENCE_MS; turns++) {
        loop_timer_at(s->timer, loop_mono_ms(s->loop) + 1);
        loop_run(s->loop);
    }
    assert_true(p.revents & (POLLIN | POLLHUP));
    s->out_of_time = false;
    loop_timer_at(s->timer, loop_mono_ms(s->loop) + PATIENCE_MS);
}

static void too_many_are_turned_away_until_one_leaves(void **state)
{
    int fds[PEERS + 3];
    struct server s;
    char c;

    (void)state;
    begin(&s);
    for (size_t i = 0; i < RG_COUNT(fds); i++)
        fds[i] = connect_to(s.path);
    run_until_readable(&s, fds[RG_COUNT(fds) - 1]);
    assert_int_equal(s.opened, PEERS - 2);
    /* The first goes. */
    assert_int_equal(shutdown(fds[0], SHUT_WR), 0);
    s.stop_after_closed = 1;
    run(&s);
    assert_int_equal(s.opened, PEERS - 2);
    for (size_t i = PEERS - 2; i < RG_COUNT(fds); i++) {
        assert_int_equal(read(fds[i], &c, 1), 0);
        assert_int_equal(close(fds[i]), 0);
    }
    fds[PEERS - 2] = connect_to(s.path);
    assert_int_equal(write(fds[PEERS - 2], "x", 1), 1);
    assert_int_equal(shutdown(fds[PEERS - 2], SHUT_WR), 0);
    s.stop_after_closed = 2;
    run(&s);
    assert_int_equal(s.opened, PEERS - 1);
    for (size_t i = 0; i <= PEERS - 2; i++)
        assert_int_equal(close(fds[i]), 0);
    end(&s);
}

static void one_that_does_not_read_is_dropped(void **state)
{
    struct server s;
    int fd;

    (void)state;
    begin(&s);
    s.flood = true;
    s.stop_after_closed = 1;
    fd = connect_to(s.path);
    assert_int_equal(write(fd, "x", 1), 1);
    run(&s);
    assert_int_equal(s.flood_err, RG_EFULL);
    assert_true(s.guests[0].closed);
    assert_int_equal(close(fd), 0);
    end(&s);
}

static void a_write_larger_than_the_bound_is_refused(void **state)
{
    char *bytes = calloc(1, LOOP_PEER_WAITING_MAX + 1);
    struct server s;
    char c = 'x';
    int fd;

    (void)state;
    assert_non_null(bytes);
    begin(&s);
    fd = connect_to(s.path);
    assert_int_equal(write(fd, "x", 1), 1);
    run_until_readable(&s, fd);
    assert_int_equal(read(fd, &c, 1), 1);
    assert_int_equal(loop_peer_write(s.guests[0].peer, bytes, 0), RG_OK);
    assert_int_equal(loop_peer_write(s.guests[0].peer, bytes, LOOP_PEER_WAITING_MAX + 1), RG_EFULL);
    free(bytes);
    end(&s);
    assert_int_equal(close(fd), 0);
}

static void open_may_refuse(void **state)
{
    struct server s;
    char c;
    int fd;

    (void)state;
    begin(&s);
    s.refuse = true;
    fd = connect_to(s.path);
    run(&s);
    end(&s);
    assert_int_equal(read(fd, &c, 1), 0);
    assert_int_equal(close(fd), 0);
}

static void the_listener_may_go_at_any_time(void **state)
{
    struct server s;
    int fd, other;

    (void)state;
    begin(&s);
    s.destroy_in_open = true;
    fd = connect_to(s.path);
    run(&s);
    assert_int_equal(s.closed, 1);
    end(&s);
    assert_int_equal(close(fd), 0);
    begin(&s);
    s.destroy_in_read = true;
    fd = connect_to(s.path);
    other = connect_to(s.path);
    assert_int_equal(write(other, "x", 1), 1);
    run(&s);
    assert_int_equal(s.closed, s.opened);
    end(&s);
    assert_int_equal(close(fd), 0);
    assert_int_equal(close(other), 0);
    loop_listener_destroy(NULL);
}

static void a_listener_left_alive_is_reported(void **state)
{
    struct server s;

    (void)state;
    begin(&s);
    loop_timer_destroy(s.timer);
    s.timer = NULL;
    assert_int_equal(loop_destroy(s.loop), RG_ESTATE);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said_is_answered_before_the_end),
        cmocka_unit_test(a_large_answer_comes_whole_after_the_end),
        cmocka_unit_test(close_lets_out_what_was_written),
        cmocka_unit_test(too_many_are_turned_away_until_one_leaves),
        cmocka_unit_test(one_that_does_not_read_is_dropped),
        cmocka_unit_test(a_write_larger_than_the_bound_is_refused),
        cmocka_unit_test(open_may_refuse),
        cmocka_unit_test(the_listener_may_go_at_any_time),
        cmocka_unit_test(a_listener_left_alive_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

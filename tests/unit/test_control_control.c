/* LINK rg_test_support rg_control rg_loop */
/* The control socket on the real loop, with clients that are slow, many, wrong and hostile. */
#include <errno.h>
#include <poll.h>
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

#include "base/text.h"
#include "control/control.h"
#include "support_tmp.h"

#define PATIENCE_MS 20000
#define BIG (5u << 20) /* an answer that no socket buffer holds, and more than may wait for one peer */

struct bench {
    char folder[SUPPORT_TMP_SIZE], path[SUPPORT_TMP_SIZE + 32];
    struct loop *loop;
    struct control *control;
    struct loop_timer *tick;
    int64_t until_ms;
    bool (*ready)(struct bench *b);
    int fd; /* what ready looks at */
    unsigned commands;
    uint32_t uid;
    char last[64];
    struct control_call *later[CONTROL_PEERS]; /* calls that wait for their answers; NULL: gone */
    unsigned deferred;
};

static void gone_cb(void *arg)
{
    struct control_call **slot = arg;

    assert_non_null(*slot);
    *slot = NULL;
}

/* ---- the daemon's side ---- */

static enum rg_err command_cb(void *arg, struct control_call *call, const char *command,
                              const struct json *request, uint32_t uid, struct jsonw *out, char *error,
                              size_t error_size)
{
    struct bench *b = arg;

    b->commands++;
    b->uid = uid;
    (void)snprintf(b->last, sizeof b->last, "%s", command);
    if (strcmp(command, "echo") == 0) {
        jsonw_string(out, json_string(json_get(request, "text")));
    } else if (strcmp(command, "big") == 0) {
        char *text = malloc(BIG + 1);

        assert_non_null(text);
        memset(text, 'x', BIG);
        text[BIG] = '\0';
        jsonw_string(out, text);
        free(text);
    } else if (strcmp(command, "nothing") == 0) {
        return RG_OK; /* no value: a mistake of ours, which must not become half an answer */
    } else if (strcmp(command, "worded") == 0) {
        jsonw_int(out, 1); /* begun, then refused */
        (void)snprintf(error, error_size, "because \"quoted\"");
        return RG_ESTATE;
    } else if (strcmp(command, "later") == 0) {
        assert_true(b->deferred < RG_COUNT(b->later));
        b->later[b->deferred] = call;
        control_defer(call, gone_cb, &b->later[b->deferred]);
        b->deferred++;
    } else {
        return RG_EUNSUPPORTED;
    }
    return RG_OK;
}

static void tick_cb(void *arg)
{
    struct bench *b = arg;

    if (b->ready(b)) {
        loop_stop(b->loop);
        return;
    }
    if (loop_mono_ms(b->loop) > b->until_ms)
        fail_msg("what was waited for did not come");
    loop_timer_at(b->tick, loop_mono_ms(b->loop) + 1);
}

static void await(struct bench *b, int fd, bool (*ready)(struct bench *b))
{
    b->fd = fd;
    b->ready = ready;
    b->until_ms = loop_mono_ms(b->loop) + PATIENCE_MS;
    loop_timer_at(b->tick, loop_mono_ms(b->loop) + 1);
    loop_run(b->loop);
}

static int begin(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    int reason = 0;

    assert_non_null(b);
    assert_true(support_tmp_dir(b->folder));
    (void)snprintf(b->path, sizeof b->path, "%s/made/control.sock", b->folder);
    assert_int_equal(loop_create(&b->loop), RG_OK);
    assert_int_equal(loop_timer_create(b->loop, tick_cb, b, &b->tick), RG_OK);
    assert_int_equal(
        control_create(b->loop, b->path, &control_rights_open, command_cb, b, &b->control, &reason), RG_OK);
    *state = b;
    return 0;
}

static int end(void **state)
{
    struct bench *b = *state;

    control_destroy(b->control);
    loop_timer_destroy(b->tick);
    assert_int_equal(loop_destroy(b->loop), RG_OK);
    assert_int_equal(access(b->path, F_OK), -1);
    assert_true(support_tmp_remove(b->folder));
    free(b);
    return 0;
}

/* ---- the client's side ---- */

static int join(struct bench *b)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0);
    assert_true(text_copy(address.sun_path, sizeof address.sun_path, b->path));
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static bool writable(struct bench *b)
{
    struct pollfd p = {.fd = b->fd, .events = POLLOUT};

    return poll(&p, 1, 0) > 0;
}

static void say_n(struct bench *b, int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);

        if (sent < 0 && errno == EAGAIN) {
            await(b, fd, writable);
            continue;
        }
        if (sent < 0)
            return; /* it has closed: the test looks at what it said */
        bytes += sent;
        length -= (size_t)sent;
    }
}

static void say(struct bench *b, int fd, const char *text)
{
    say_n(b, fd, text, strlen(text));
}

static bool readable(struct bench *b)
{
    struct pollfd p = {.fd = b->fd, .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}

/* Reads one byte at a time up to a line's end or the end; bytes read are what is left in text. False: the end. */
static bool hear(struct bench *b, int fd, char *text, size_t size)
{
    size_t length = 0;

    for (;;) {
        char c;
        ssize_t got = recv(fd, &c, 1, 0);

        if (got < 0 && errno == EAGAIN) {
            await(b, fd, readable);
            continue;
        }
        if (got <= 0 || c == '\n') {
            text[length] = '\0';
            return got > 0;
        }
        assert_true(length + 1 < size);
        text[length++] = c;
    }
}

static void expect(struct bench *b, int fd, const char *answer)
{
    char text[512];

    assert_true(hear(b, fd, text, sizeof text));
    assert_string_equal(text, answer);
}

static void expect_end(struct bench *b, int fd)
{
    char text[512];

    assert_false(hear(b, fd, text, sizeof text));
    assert_string_equal(text, "");
    assert_int_equal(close(fd), 0);
}

static void expect_alive(struct bench *b)
{
    int fd = join(b);

    say(b, fd, "{\"command\":\"echo\",\"text\":\"still here\"}\n");
    expect(b, fd, "{\"ok\":true,\"result\":\"still here\"}");
    assert_int_equal(close(fd), 0);
}

/* ---- tests ---- */

static void one_question_one_answer(void **state)
{
    struct bench *b = *state;
    int fd = join(b);

    say(b, fd, "{\"command\":\"echo\",\"text\":\"抛光\"}\n");
    expect(b, fd, "{\"ok\":true,\"result\":\"抛光\"}");
    assert_int_equal(b->uid, getuid());
    say(b, fd, "{\"command\":\"what\"}\n");
    expect(b, fd, "{\"ok\":false,\"error\":\"not supported\"}");
    say(b, fd, "{\"command\":\"worded\"}\n");
    expect(b, fd, "{\"ok\":false,\"error\":\"because \\\"quoted\\\"\"}");
    say(b, fd, "{\"command\":\"nothing\"}\n");
    expect(b, fd, "{\"ok\":false,\"error\":\"not possible in this state\"}");
    say(b, fd, "{\"command\":\"echo\",\"text\":\"after all that\"}\n");
    expect(b, fd, "{\"ok\":true,\"result\":\"after all that\"}");
    assert_int_equal(close(fd), 0);
}

static void questions_in_pieces_and_in_one(void **state)
{
    static const char question[] = "{\"command\":\"echo\",\"text\":\"a\"}\n";
    struct bench *b = *state;
    int fd = join(b), other = join(b);
    char text[512];

    for (const char *c = question; *c; c++) {
        say_n(b, fd, c, 1);
        if (c[1] == '\0' || (c - question) % 7)
            continue;
        /* Somebody else is served in between. */
        say(b, other, "{\"command\":\"echo\",\"text\":\"b\"}\n");
        expect(b, other, "{\"ok\":true,\"result\":\"b\"}");
    }
    expect(b, fd, "{\"ok\":true,\"result\":\"a\"}");
    say(b, fd,
        "{\"command\":\"echo\",\"text\":\"1\"}\n{\"command\":\"echo\",\"text\":\"2\"}\r\n{\"command\":"
        "\"echo\",");
    expect(b, fd, "{\"ok\":true,\"result\":\"1\"}");
    expect(b, fd, "{\"ok\":true,\"result\":\"2\"}");
    say(b, fd, "\"text\":\"3\"}\n");
    assert_true(hear(b, fd, text, sizeof text));
    assert_string_equal(text, "{\"ok\":true,\"result\":\"3\"}");
    assert_int_equal(close(fd), 0);
    assert_int_equal(close(other), 0);
}

static void nonsense_is_answered_once_and_closed(void **state)
{
    static const struct {
        const char *bytes;
        size_t length; /* 0: its text's */
        const char *answer;
    } cases[] = {
        {"\n", 0, "the request is not a JSON object"},
        {"hello\n", 0, "the request is not a JSON object"},
        {"{\"command\":\"echo\"\n", 0, "the request is not a JSON object"},
        {"{\"command\":\"echo\"} {}\n", 0, "the request is not a JSON object"},
        {"{\"command\":\"echo\",\"command\":\"what\"}\n", 0, "the request is not a JSON object"},
        {"{\"command\":\"ec\0ho\"}\n", 21, "the request is not a JSON object"},
        {"\xff\xfe\n", 0, "the request is not a JSON object"},
        {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n", 0, "the request is not a JSON object"},
        {"[]\n", 0, "the request has no command"},
        {"7\n", 0, "the request has no command"},
        {"{\"command\":7}\n", 0, "the request has no command"},
        {"{}\n{\"command\":\"echo\",\"text\":\"not carried out\"}\n", 0, "the request has no command"},
    };
    struct bench *b = *state;

    for (size_t i = 0; i < RG_COUNT(cases); i++) {
        int fd = join(b);
        char answer[256];

        say_n(b, fd, cases[i].bytes, cases[i].length ? cases[i].length : strlen(cases[i].bytes));
        (void)snprintf(answer, sizeof answer, "{\"ok\":false,\"error\":\"%s\"}", cases[i].answer);
        expect(b, fd, answer);
        expect_end(b, fd);
    }
    assert_int_equal(b->commands, 0);
    expect_alive(b);
}

static void the_longest_line(void **state)
{
    static const char head[] = "{\"command\":\"echo\",\"text\":\"\",\"x\":\"";
    struct bench *b = *state;

    for (int over = 0; over <= 1; over++) {
        size_t length = CONTROL_LINE_MAX + (size_t)over;
        char *line = malloc(length + 1);
        int fd = join(b);

        assert_non_null(line);
        memset(line, 'x', length);
        memcpy(line, head, sizeof head - 1);
        memcpy(line + length - 2, "\"}\n", 3);
        say_n(b, fd, line, length + 1);
        expect(b, fd,
               over ? "{\"ok\":false,\"error\":\"the request is too long\"}"
                    : "{\"ok\":true,\"result\":\"\"}");
        if (over)
            expect_end(b, fd);
        else
            assert_int_equal(close(fd), 0);
        free(line);
    }
    assert_int_equal(b->commands, 1);
}

/* A line that never ends is refused when it is too long, not kept for ever. */
static void a_line_without_end(void **state)
{
    static char bytes[4 * CONTROL_LINE_MAX];
    struct bench *b = *state;
    int fd = join(b);

    memset(bytes, ' ', sizeof bytes);
    say_n(b, fd, bytes, sizeof bytes);
    expect(b, fd, "{\"ok\":false,\"error\":\"the request is too long\"}");
    assert_int_equal(close(fd), 0);
    expect_alive(b);
}

static bool two_commands(struct bench *b)
{
    return b->commands >= 2;
}

/* Who asks for much and reads nothing is cut off, and what else it asked is not done in its name. */
static void who_reads_nothing_is_cut_off(void **state)
{
    struct bench *b = *state;
    int fd = join(b), other = join(b);
    char text[16];

    say(b, fd, "{\"command\":\"big\"}\n{\"command\":\"echo\",\"text\":\"an acknowledgement\"}\n");
    /* A command of somebody else comes after both. */
    say(b, other, "{\"command\":\"echo\",\"text\":\"x\"}\n");
    await(b, -1, two_commands);
    expect(b, other, "{\"ok\":true,\"result\":\"x\"}");
    assert_int_equal(b->commands, 2);
    assert_string_equal(b->last, "echo");
    while (recv(fd, text, sizeof text, 0) > 0)
        continue;
    await(b, fd, readable); /* the end */
    assert_int_equal(close(fd), 0);
    assert_int_equal(close(other), 0);
    expect_alive(b);
}

/* The daemon does not work for one who asks on and on and never looks at an answer. */
static void who_asks_on_unread_is_cut_off(void **state)
{
    struct bench *b = *state;
    char line[60000];
    int fd = join(b), size = 4096;
    size_t length;

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
    length = (size_t)snprintf(line, sizeof line, "{\"command\":\"echo\",\"text\":\"%050000d\"}\n", 7);
    for (unsigned i = 0; i < 1000; i++)
        say_n(b, fd, line, length);
    /* What the sockets' buffers hold, what may lie unread, and one more. */
    assert_in_range(b->commands, 1 + CONTROL_UNREAD_MAX / 50000, 100);
    close(fd);
    expect_alive(b);
}

static void who_leaves_early_is_forgotten(void **state)
{
    struct bench *b = *state;

    for (int i = 0; i < 100; i++) {
        int fd = join(b);

        if (i % 3 == 0)
            say(b, fd, "{\"command\":\"ec");
        else if (i % 3 == 1)
            say(b, fd, "{\"command\":\"echo\",\"text\":\"nobody waits for it\"}\n");
        assert_int_equal(close(fd), 0);
        if (i % 10 == 9)
            expect_alive(b);
    }
    expect_alive(b);
}

/* Silent peers do not keep others out: they are closed for those who come. (As many as have places may be on their way out.) */
static void a_crowd_of_silent_peers(void **state)
{
    struct bench *b = *state;
    int fds[4 * CONTROL_PEERS];

    for (size_t i = 0; i < RG_COUNT(fds); i++) {
        fds[i] = join(b);
        if (i % (CONTROL_PEERS / 2) == 0)
            expect_alive(b);
    }
    expect_alive(b);
    for (size_t i = 0; i < RG_COUNT(fds); i++)
        assert_int_equal(close(fds[i]), 0);
}

/* The end of the daemon with peers in every state. */
static void the_end_with_peers_there(void **state)
{
    struct bench *b = *state;
    int quiet = join(b), half = join(b), full = join(b);

    say(b, half, "{\"comm");
    say(b, full, "{\"command\":\"echo\",\"text\":\"x\"}\n");
    expect(b, full, "{\"ok\":true,\"result\":\"x\"}");
    control_destroy(b->control);
    b->control = NULL;
    expect_end(b, quiet);
    expect_end(b, half);
    expect_end(b, full);
    control_destroy(NULL);
}

static void where_it_cannot_listen(void **state)
{
    struct bench *b = *state;
    struct control *second = NULL;
    char path[SUPPORT_TMP_SIZE + 300];
    struct stat there;
    int reason = 0;

    /* Another one answers there. */
    assert_int_equal(control_create(b->loop, b->path, &control_rights_open, command_cb, b, &second, &reason),
                     RG_EEXIST);
    assert_null(second);
    /* Its folder would have to be made below one that is not there. */
    (void)snprintf(path, sizeof path, "%s/not/there/control.sock", b->folder);
    assert_int_equal(control_create(b->loop, path, &control_rights_open, command_cb, b, &second, &reason),
                     RG_EIO);
    assert_int_equal(reason, ENOENT);
    (void)snprintf(path, sizeof path, "%s/%0200d", b->folder, 0);
    assert_int_equal(control_create(b->loop, path, &control_rights_open, command_cb, b, &second, &reason),
                     RG_EINVAL);
    assert_null(second);
    expect_alive(b);
    /* Not for everybody. */
    assert_int_equal(stat(b->path, &there), 0);
    assert_int_equal(there.st_mode & 0777, 0660);
}

/* ---- answers that come later ---- */

static bool one_waits(struct bench *b)
{
    return b->deferred >= 1;
}

static bool two_wait(struct bench *b)
{
    return b->deferred >= 2;
}

static bool none_waits(struct bench *b)
{
    for (unsigned i = 0; i < b->deferred; i++) {
        if (b->later[i])
            return false;
    }
    return true;
}

static void answer(struct bench *b, unsigned which, const char *text)
{
    struct control_call *call = b->later[which];
    struct jsonw w;

    assert_non_null(call);
    b->later[which] = NULL;
    jsonw_init(&w, 0);
    jsonw_string(&w, text);
    control_answer(call, &w);
    jsonw_free(&w);
}

static void an_answer_that_comes_later(void **state)
{
    struct bench *b = *state;
    int fd = join(b);

    say(b, fd, "{\"command\":\"later\"}\n");
    await(b, fd, one_waits);
    expect_alive(b); /* others are served meanwhile */
    assert_false(readable(&(struct bench){.fd = fd}));
    answer(b, 0, "at last");
    expect(b, fd, "{\"ok\":true,\"result\":\"at last\"}");
    say(b, fd, "{\"command\":\"later\"}\n");
    await(b, fd, two_wait);
    control_answer_error(b->later[1], "no");
    b->later[1] = NULL;
    expect(b, fd, "{\"ok\":false,\"error\":\"no\"}");
    say(b, fd, "{\"command\":\"echo\",\"text\":\"go on\"}\n");
    expect(b, fd, "{\"ok\":true,\"result\":\"go on\"}");
    assert_int_equal(close(fd), 0);
}

/* What is sent behind it waits, in order, and a second one of the kind as well. */
static void answers_keep_the_order_of_their_questions(void **state)
{
    struct bench *b = *state;
    int fd = join(b);

    say(b, fd,
        "{\"command\":\"echo\",\"text\":\"1\"}\n{\"command\":\"later\"}\n{\"command\":\"echo\",\"text\":"
        "\"3\"}\n{\"command\":\"later\"}\n{\"command\":\"echo\",\"te");
    expect(b, fd, "{\"ok\":true,\"result\":\"1\"}");
    await(b, fd, one_waits);
    expect_alive(b);
    assert_int_equal(b->deferred, 1);
    say(b, fd, "xt\":\"5\"}\n");
    answer(b, 0, "2");
    expect(b, fd, "{\"ok\":true,\"result\":\"2\"}");
    expect(b, fd, "{\"ok\":true,\"result\":\"3\"}");
    await(b, fd, two_wait);
    expect_alive(b);
    answer(b, 1, "4");
    expect(b, fd, "{\"ok\":true,\"result\":\"4\"}");
    expect(b, fd, "{\"ok\":true,\"result\":\"5\"}");
    assert_int_equal(close(fd), 0);
}

/* What is no JSON becomes an error, never half an answer. */
static void a_later_answer_that_went_wrong(void **state)
{
    struct bench *b = *state;
    char memory[8];
    struct jsonw w;
    int fd = join(b);

    say(b, fd, "{\"command\":\"later\"}\n{\"command\":\"later\"}\n");
    await(b, fd, one_waits);
    jsonw_init_fixed(&w, memory, sizeof memory);
    jsonw_string(&w, "more than it holds");
    control_answer(b->later[0], &w);
    b->later[0] = NULL;
    expect(b, fd, "{\"ok\":false,\"error\":\"bounded queue or buffer is full\"}");
    await(b, fd, two_wait);
    jsonw_init(&w, 0);
    control_answer(b->later[1], &w); /* nothing at all */
    b->later[1] = NULL;
    expect(b, fd, "{\"ok\":false,\"error\":\"not possible in this state\"}");
    assert_int_equal(close(fd), 0);
}

static void who_goes_away_while_waiting(void **state)
{
    struct bench *b = *state;
    int whole = join(b), half = join(b);

    say(b, whole, "{\"command\":\"later\"}\n{\"command\":\"echo\",\"text\":\"never carried out\"}\n");
    await(b, whole, one_waits);
    say(b, half, "{\"command\":\"later\"}\n");
    await(b, half, two_wait);
    assert_int_equal(close(whole), 0);
    /* Who ends the sending side only has gone as well, as it says in control.h. */
    assert_int_equal(shutdown(half, SHUT_WR), 0);
    await(b, -1, none_waits);
    assert_int_equal(b->commands, 2);
    expect_end(b, half);
    expect_alive(b);
}

static void too_much_behind_a_question(void **state)
{
    static char bytes[2 * CONTROL_LINE_MAX];
    struct bench *b = *state;
    int fd = join(b);

    memset(bytes, '\n', sizeof bytes);
    say(b, fd, "{\"command\":\"later\"}\n");
    say_n(b, fd, bytes, sizeof bytes);
    expect(b, fd, "{\"ok\":false,\"error\":\"too much was sent before the answer\"}");
    await(b, -1, none_waits);
    assert_int_equal(b->commands, 1);
    assert_int_equal(close(fd), 0);
    expect_alive(b);
}

static void the_end_while_peers_wait(void **state)
{
    struct bench *b = *state;
    int one = join(b), two = join(b);

    say(b, one, "{\"command\":\"later\"}\n");
    say(b, two, "{\"command\":\"later\"}\n");
    await(b, -1, two_wait);
    control_destroy(b->control);
    b->control = NULL;
    assert_true(none_waits(b));
    expect_end(b, one);
    expect_end(b, two);
}

/* Its place is given to another: it hears of it. */
static void a_crowd_while_a_peer_waits(void **state)
{
    struct bench *b = *state;
    int fd = join(b);
    int fds[2 * CONTROL_PEERS];

    say(b, fd, "{\"command\":\"later\"}\n");
    await(b, fd, one_waits);
    for (size_t i = 0; i < RG_COUNT(fds); i++) {
        fds[i] = join(b);
        expect_alive(b);
    }
    await(b, -1, none_waits);
    for (size_t i = 0; i < RG_COUNT(fds); i++)
        assert_int_equal(close(fds[i]), 0);
    assert_int_equal(close(fd), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_question_one_answer, begin, end),
        cmocka_unit_test_setup_teardown(questions_in_pieces_and_in_one, begin, end),
        cmocka_unit_test_setup_teardown(nonsense_is_answered_once_and_closed, begin, end),
        cmocka_unit_test_setup_teardown(the_longest_line, begin, end),
        cmocka_unit_test_setup_teardown(a_line_without_end, begin, end),
        cmocka_unit_test_setup_teardown(who_reads_nothing_is_cut_off, begin, end),
        cmocka_unit_test_setup_teardown(who_asks_on_unread_is_cut_off, begin, end),
        cmocka_unit_test_setup_teardown(who_leaves_early_is_forgotten, begin, end),
        cmocka_unit_test_setup_teardown(a_crowd_of_silent_peers, begin, end),
        cmocka_unit_test_setup_teardown(the_end_with_peers_there, begin, end),
        cmocka_unit_test_setup_teardown(where_it_cannot_listen, begin, end),
        cmocka_unit_test_setup_teardown(an_answer_that_comes_later, begin, end),
        cmocka_unit_test_setup_teardown(answers_keep_the_order_of_their_questions, begin, end),
        cmocka_unit_test_setup_teardown(a_later_answer_that_went_wrong, begin, end),
        cmocka_unit_test_setup_teardown(who_goes_away_while_waiting, begin, end),
        cmocka_unit_test_setup_teardown(too_much_behind_a_question, begin, end),
        cmocka_unit_test_setup_teardown(the_end_while_peers_wait, begin, end),
        cmocka_unit_test_setup_teardown(a_crowd_while_a_peer_waits, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

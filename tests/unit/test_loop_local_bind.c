/* LINK rg_loop rg_base rg_test_support Threads::Threads */
/* The socket's file: its rights, and what may stand in its place already. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "loop/loop.h"
#include "support_tmp.h"

struct fixture {
    struct loop *loop;
    struct loop_listener *listener;
    char folder[SUPPORT_TMP_SIZE];
    char path[SUPPORT_TMP_SIZE + 8];
    unsigned visits;
    unsigned awaited; /* visits after which the loop is stopped */
    uint32_t group;   /* asked for */
};

static void *on_open(void *arg, struct loop_peer *peer, uint32_t uid)
{
    struct fixture *f = arg;

    (void)peer;
    (void)uid;
    if (++f->visits == f->awaited)
        loop_stop(f->loop);
    return NULL;
}

static void on_read(void *context, const char *bytes, size_t length)
{
    (void)context;
    fail_msg("%.*s", (int)length, bytes);
}

static void on_closed(void *context)
{
    (void)context;
    fail();
}

static enum rg_err listen_at(struct fixture *f, const char *path, struct loop_listener **out, int *reason)
{
    static const struct loop_peer_cbs cbs = {on_open, on_read, on_closed};

    return loop_listen_local(f->loop, path, 0660, f->group, 4, &cbs, f, out, reason);
}

static int begin(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.group = LOOP_GROUP_OWN};
    *state = &fixture;
    if (!support_tmp_dir(fixture.folder) || loop_create(&fixture.loop) != RG_OK)
        return -1;
    (void)snprintf(fixture.path, sizeof fixture.path, "%s/s", fixture.folder);
    return 0;
}

static int end(void **state)
{
    struct fixture *f = *state;
    struct stat st;

    loop_listener_destroy(f->listener);
    if (loop_destroy(f->loop) != RG_OK)
        return -1;
    /* Nothing of ours stays behind. */
    if (lstat(f->path, &st) == 0)
        return -1;
    return support_tmp_remove(f->folder) ? 0 : -1;
}

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    assert_true(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path));
    return address;
}

/* Connects and has the loop run until it has seen `visits` in all. */
static void visit(struct fixture *f, unsigned visits)
{
    struct sockaddr_un address = address_of(f->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    f->awaited = visits;
    loop_run(f->loop);
    assert_int_equal(f->visits, visits);
    assert_int_equal(close(fd), 0);
}

static void make_file(const char *path)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC | O_EXCL, 0600);

    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
}

static void it_has_the_mode_asked_for(void **state)
{
    static const mode_t umasks[] = {0077, 0, 0777};
    struct fixture *f = *state;
    struct stat st;

    for (size_t i = 0; i < RG_COUNT(umasks); i++) {
        mode_t before = umask(umasks[i]);
        enum rg_err err = listen_at(f, f->path, &f->listener, NULL);

        (void)umask(before);
        assert_int_equal(err, RG_OK);
        assert_int_equal(lstat(f->path, &st), 0);
        assert_true(S_ISSOCK(st.st_mode));
        assert_int_equal(st.st_mode & 07777, 0660);
        loop_listener_destroy(f->listener);
        f->listener = NULL;
    }
}

/* A group that this process may give: any for root, else its own. */
static uint32_t some_group(void)
{
    return geteuid() == 0 ? 54321 : (uint32_t)getegid();
}

static void it_has_the_group_asked_for(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    int reason = 0;

    f->group = some_group();
    assert_int_equal(listen_at(f, f->path, &f->listener, NULL), RG_OK);
    assert_int_equal(lstat(f->path, &st), 0);
    assert_int_equal(st.st_gid, f->group);
    assert_int_equal(st.st_mode & 07777, 0660);
    assert_int_equal(st.st_uid, geteuid());
    /* Another one meanwhile; it goes on listening. */
    assert_int_equal(loop_listener_grant(f->listener, LOOP_GROUP_OWN, &reason), RG_OK);
    assert_int_equal(lstat(f->path, &st), 0);
    assert_int_equal(st.st_gid, getegid());
    visit(f, 1);
    /* Not to a file that somebody else put in its place. */
    assert_int_equal(unlink(f->path), 0);
    make_file(f->path);
    assert_int_equal(loop_listener_grant(f->listener, some_group(), &reason), RG_EIO);
    assert_int_equal(reason, ESTALE);
    assert_int_equal(unlink(f->path), 0);
}

/* One that cannot have its group is not there at all: rather no door than one for the wrong people. */
static void without_its_group_it_is_not_there(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    int reason = 0;

    bool root = geteuid() == 0;
    enum rg_err err;

    f->group = root ? 54321 : 0;
    if (root) { /* who may give any: another user for a moment */
        assert_int_equal(chmod(f->folder, 0777), 0);
        assert_int_equal(seteuid(65534), 0);
    }
    err = listen_at(f, f->path, &f->listener, &reason);
    if (root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(err, RG_EIO);
    assert_int_equal(reason, EPERM);
    assert_null(f->listener);
    assert_int_equal(lstat(f->path, &st), -1);
}

static void a_live_one_is_left_alone(void **state)
{
    struct loop_listener *second = NULL;
    struct fixture *f = *state;

    assert_int_equal(listen_at(f, f->path, &f->listener, NULL), RG_OK);
    assert_int_equal(listen_at(f, f->path, &second, NULL), RG_EEXIST);
    assert_null(second);
    /* The attempt itself was a visit. */
    visit(f, 2);
}

static void a_stale_one_is_replaced(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_un address = address_of(f->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    /* As a killed daemon leaves it. */
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(listen_at(f, f->path, &f->listener, NULL), RG_OK);
    visit(f, 1);
}

static void what_is_no_socket_stays(void **state)
{
    struct loop_listener *l = NULL;
    struct fixture *f = *state;
    struct stat st;
    int reason = 0;

    make_file(f->path);
    assert_int_equal(listen_at(f, f->path, &l, &reason), RG_EIO);
    assert_int_equal(reason, EEXIST);
    assert_null(l);
    assert_int_equal(lstat(f->path, &st), 0);
    assert_int_equal(unlink(f->path), 0);
    /* A link is not followed, wherever it leads. */
    assert_int_equal(symlink("elsewhere", f->path), 0);
    assert_int_equal(listen_at(f, f->path, &l, &reason), RG_EIO);
    assert_int_equal(reason, EEXIST);
    assert_int_equal(unlink(f->path), 0);
}

static void impossible_paths_are_refused(void **state)
{
    struct loop_listener *l = NULL;
    struct fixture *f = *state;
    char longest[300];
    int reason = 0;

    assert_int_equal(listen_at(f, "/nowhere/at/all", &l, &reason), RG_EIO);
    assert_int_equal(reason, ENOENT);
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(listen_at(f, longest, &l, &reason), RG_EINVAL);
    assert_int_equal(listen_at(f, "", &l, NULL), RG_EINVAL);
    assert_null(l);
}

static void another_s_file_is_not_removed(void **state)
{
    struct fixture *f = *state;
    struct stat st;

    assert_int_equal(listen_at(f, f->path, &f->listener, NULL), RG_OK);
    assert_int_equal(unlink(f->path), 0);
    make_file(f->path);
    loop_listener_destroy(f->listener);
    f->listener = NULL;
    assert_int_equal(lstat(f->path, &st), 0);
    assert_int_equal(unlink(f->path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_has_the_mode_asked_for, begin, end),
        cmocka_unit_test_setup_teardown(it_has_the_group_asked_for, begin, end),
        cmocka_unit_test_setup_teardown(without_its_group_it_is_not_there, begin, end),
        cmocka_unit_test_setup_teardown(a_live_one_is_left_alone, begin, end),
        cmocka_unit_test_setup_teardown(a_stale_one_is_replaced, begin, end),
        cmocka_unit_test_setup_teardown(what_is_no_socket_stays, begin, end),
        cmocka_unit_test_setup_teardown(impossible_paths_are_refused, begin, end),
        cmocka_unit_test_setup_teardown(another_s_file_is_not_removed, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* LINK rg_service */
/* What the service manager is told, by a socket that is the test's: with a path and with an abstract name, and that a manager that does not
 * read holds nobody up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "service/notify.h"

#define MANY 100000 /* messages: more than any net.unix.max_dgram_qlen */

static char folder[] = "/tmp/rg-notify-XXXXXX";
static char path[sizeof folder + 16];

static int begin(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof path, "%s/socket", folder);
    return 0;
}

static int end(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void listener_is(const char *name)
{
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
}

/* A manager's socket; length: of the name in the address, which may begin with a 0. */
static int manager(const char *name, size_t length)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0);
    memcpy(address.sun_path, name, length);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
                     0);
    return fd;
}

static void hears(int fd, const char *wanted)
{
    char got[128];
    const ssize_t n = recv(fd, got, sizeof got, 0);

    assert_int_equal(n, strlen(wanted));
    assert_memory_equal(got, wanted, strlen(wanted));
}

static void hears_nothing(int fd)
{
    char got[128];

    assert_int_equal(recv(fd, got, sizeof got, 0), -1);
}

static void a_path(void **state)
{
    const int fd = manager(path, strlen(path));

    (void)state;
    listener_is(path);
    assert_int_equal(notify_send("READY=1"), RG_OK);
    assert_int_equal(notify_send("STOPPING=1\nSTATUS=停"), RG_OK);
    hears(fd, "READY=1");
    hears(fd, "STOPPING=1\nSTATUS=停");
    hears_nothing(fd);
    assert_int_equal(close(fd), 0);
    assert_int_equal(notify_send("READY=1"), RG_EIO); /* its socket is there, it is not */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(notify_send("READY=1"), RG_EIO);
}

static void an_abstract_name(void **state)
{
    char name[64];
    int fd;

    (void)state;
    (void)snprintf(name, sizeof name, "@riskgate-test/%ld", (long)getpid());
    listener_is(name);
    name[0] = '\0';
    fd = manager(name, 1 + strlen(name + 1));
    assert_int_equal(notify_send("WATCHDOG=1"), RG_OK);
    hears(fd, "WATCHDOG=1");
    assert_int_equal(close(fd), 0);
}

static void nobody_listens(void **state)
{
    char longest[200];

    (void)state;
    assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
    assert_int_equal(notify_send("READY=1"), RG_ESTATE);
    listener_is("");
    assert_int_equal(notify_send("READY=1"), RG_ESTATE);
    listener_is("relative");
    assert_int_equal(notify_send("READY=1"), RG_EIO);
    memset(longest, 'x', sizeof longest - 1);
    longest[0] = '/';
    longest[sizeof longest - 1] = '\0';
    listener_is(longest);
    assert_int_equal(notify_send("READY=1"), RG_EIO);
}

/* All that it has room for gets there, and the next is not waited for; when it has read one, there is room again. */
static void a_manager_that_does_not_read(void **state)
{
    const int fd = manager(path, strlen(path));
    int sent = 0;

    (void)state;
    listener_is(path);
    while (sent < MANY && notify_send("WATCHDOG=1") == RG_OK)
        sent++;
    assert_in_range(sent, 1, MANY - 1);
    assert_int_equal(notify_send("READY=1"), RG_EAGAIN);
    for (int i = 0; i < sent; i++)
        hears(fd, "WATCHDOG=1");
    hears_nothing(fd);
    assert_int_equal(notify_send("READY=1"), RG_OK);
    hears(fd, "READY=1");
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path),
        cmocka_unit_test(an_abstract_name),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(a_manager_that_does_not_read),
    };

    return cmocka_run_group_tests(tests, begin, end);
}

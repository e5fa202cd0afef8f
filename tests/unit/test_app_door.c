/* LINK rg_daemon rg_loop_virtual */
/* Which commands only read, and what the configuration says of the socket's groups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/door.h"

static void only_what_tells_is_open_to_all(void **state)
{
    static const char *const acting[] = {"ack",     "shelve",  "unshelve", "raw",       "write",
                                         "permit",  "silence", "test",     "self_test", "reload",
                                         "status ", "STATUS",  "",         "nonsense"};
    static const char *const reading[] = {"status",  "alarms",  "points", "risk",
                                          "outputs", "explain", "report"};

    (void)state;
    for (size_t i = 0; i < RG_COUNT(acting); i++)
        assert_false(door_only_reads(acting[i]));
    for (size_t i = 0; i < RG_COUNT(reading); i++)
        assert_true(door_only_reads(reading[i]));
}

static void nothing_said(void **state)
{
    const struct site site = {.control_socket = "s"};
    struct control_rights rights;
    char why[200] = "";

    (void)state;
    assert_true(door_rights(&site, &rights, why, sizeof why));
    assert_true(rights.group == LOOP_GROUP_OWN && rights.act_group == CONTROL_ALL);
    assert_string_equal(why, "");
}

static void groups_of_this_machine(void **state)
{
    struct site site = {.control_socket = "s",
                        .control_group = {"readers", (uint32_t)getegid()},
                        .control_act_group = {"shift", 77}};
    struct control_rights rights;
    char why[200] = "";

    (void)state;
    assert_true(door_rights(&site, &rights, why, sizeof why));
    assert_int_equal(rights.group, getegid());
    assert_int_equal(rights.act_group, 77);
    site.control_act_group.gid = SITE_NO_GROUP;
    assert_false(door_rights(&site, &rights, why, sizeof why));
    assert_string_equal(why, "control: there is no group shift on this machine");
    site.control_act_group = (struct site_door){NULL, 0};
    site.control_group.gid = SITE_NO_GROUP;
    assert_false(door_rights(&site, &rights, why, sizeof why));
    assert_string_equal(why, "control: there is no group readers on this machine");
}

static void a_group_that_cannot_be_given(void **state)
{
    const struct site site = {.control_socket = "s", .control_group = {"others", 54321}};
    struct control_rights rights;
    bool root = geteuid() == 0, good;
    char why[200] = "";

    (void)state;
    if (root) {
        assert_true(door_rights(&site, &rights, why, sizeof why));
        assert_int_equal(seteuid(65534), 0);
    }
    good = door_rights(&site, &rights, why, sizeof why);
    if (root)
        assert_int_equal(seteuid(0), 0);
    assert_false(good);
    assert_non_null(strstr(why, "no member of the group others"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_tells_is_open_to_all),
        cmocka_unit_test(nothing_said),
        cmocka_unit_test(groups_of_this_machine),
        cmocka_unit_test(a_group_that_cannot_be_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

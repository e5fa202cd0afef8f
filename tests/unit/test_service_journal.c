/* LINK rg_service */
/* The fields that the journal gets. libsystemd's function is ours here: what it was given is looked at. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include <cmocka.h>

#include "base/error.h"
#include "service/journal.h"

static struct {
    char text[8192]; /* a field a line */
    int result;
} seen;

int sd_journal_sendv(const struct iovec *iov, int n);

int sd_journal_sendv(const struct iovec *iov, int n)
{
    size_t used = 0;

    seen.text[0] = '\0';
    for (int i = 0; i < n; i++)
        used += (size_t)snprintf(seen.text + used, sizeof seen.text - used, "%.*s\n", (int)iov[i].iov_len,
                                 (const char *)iov[i].iov_base);
    return seen.result;
}

static void what_is_known_is_a_field(void **state)
{
    const struct log_about nothing = {.device = NULL};
    const struct log_about all = {.bus = "shop",
                                  .device = "gas-1",
                                  .point = "gas-1.lel",
                                  .rule = "lel-high",
                                  .area = "hall",
                                  .alarm = "gw-01-42",
                                  .output = "siren",
                                  .uplink = "county",
                                  .message_id = "e8249e7a343d47728f424ba140278838"};

    (void)state;
    assert_true(journal_send(6, &nothing, "可燃 = 1"));
    assert_string_equal(seen.text, "MESSAGE=可燃 = 1\nPRIORITY=6\n");
    assert_true(journal_send(4, &all, "x"));
    assert_string_equal(
        seen.text, "MESSAGE=x\nPRIORITY=4\nMESSAGE_ID=e8249e7a343d47728f424ba140278838\nRISKGATE_BUS=shop\n"
                   "RISKGATE_DEVICE=gas-1\nRISKGATE_POINT=gas-1.lel\nRISKGATE_RULE=lel-high\n"
                   "RISKGATE_AREA=hall\nRISKGATE_ALARM=gw-01-42\nRISKGATE_OUTPUT=siren\n"
                   "RISKGATE_UPLINK=county\n");
}

static void the_longest(void **state)
{
    char text[LOG_LINE_MAX], name[400];
    const struct log_about about = {.device = "", .bus = name, .uplink = "u"};

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_true(journal_send(3, &about, text));
    assert_int_equal(strlen(seen.text),
                     strlen("MESSAGE=") + LOG_LINE_MAX - 1 + strlen("\nPRIORITY=3\nRISKGATE_UPLINK=u\n"));
    assert_null(strstr(seen.text, "RISKGATE_BUS"));
}

static void it_says_when_it_cannot(void **state)
{
    const struct log_about nothing = {.device = NULL};

    (void)state;
    seen.result = -ENOMEM;
    assert_false(journal_send(6, &nothing, "x"));
    seen.result = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_known_is_a_field),
        cmocka_unit_test(the_longest),
        cmocka_unit_test(it_says_when_it_cannot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

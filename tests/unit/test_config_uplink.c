/* LINK rg_config */
/* uplinks: every message, with its place. */
#include "config_rows.h"

static const struct row rows[] = {
    {FRAME_UPLINK, "name: u", "5:5: error: `url` is missing in an uplink\n"},
    {FRAME_UPLINK, "name: u, url: tcp://h",
     "5:20: error: `url` must be mqtt://host[:port] or mqtts://host[:port], not `tcp://h`\n"},
    {FRAME_UPLINK, "name: u, url: \"mqtt://me:secret@h\"",
     "5:20: error: `url` must not hold a user or a password: use `username` and `password_file`\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://h/x",
     "5:20: error: `url`: nothing may follow host and port in `mqtt://h/x`\n"},
    {FRAME_UPLINK, "name: u, url: \"mqtt://h:0\"",
     "5:20: error: `url`: the port of `mqtt://h:0` must be 1 to 65535\n"},
    {FRAME_UPLINK, "name: u, url: \"mqtt://[zz]\"",
     "5:20: error: `url`: there is no valid host in `mqtt://[zz]`\n"},
    {FRAME_UPLINK, "name: u, url: \"mqtt://::1:1883\"",
     "5:20: error: `url`: an IPv6 address stands in brackets, mqtt://[address]:port, not "
     "`mqtt://::1:1883`\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://", "5:20: error: `url`: there is no valid host in `mqtt://`\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, protocol: 4",
     "5:48: error: `protocol` must be one of 5, 3.1.1, not `4`\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, tls: {ca: x}",
     "5:38: error: `tls` is given but the url is mqtt://; did you mean mqtts://?\n"},
    {FRAME_UPLINK, "name: u, url: mqtts://127.0.0.1, tls: {cert: x}",
     "5:39: error: `tls`: `cert` and `key` belong together; `key` is missing\n"},
    {FRAME_UPLINK, "name: u, url: mqtts://127.0.0.1, tls: {key: x}",
     "5:39: error: `tls`: `cert` and `key` belong together; `cert` is missing\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, protocol: 3.1.1, password_file: x",
     "5:55: error: MQTT 3.1.1 takes no password without a `username`\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://h, username: x, password_file: x",
     "5:20: error: the password would go to `h` in clear text: use mqtts://, or say `insecure: true`\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://h, username: x, password_file: x, insecure: false",
     "5:20: error: the password would go to `h` in clear text: use mqtts://, or say `insecure: true`\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://h, username: x, password_file: x, insecure: true",
     "5:20: warning: the password goes to `h` in clear text, as `insecure` allows\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://h, username: x, password_file: x, insecure: yes",
     "5:20: error: the password would go to `h` in clear text: use mqtts://, or say `insecure: true`\n"
     "5:71: error: `insecure` must be true or false, not `yes`\n"},
    {FRAME_UPLINK, "name: u, url: mqtts://h, password_file: x, insecure: true",
     "5:49: warning: `insecure` is of no effect here: no password goes out in clear text\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://h, username: x", ""},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, password_file: x", ""},
    {FRAME_UPLINK, "name: u, url: \"mqtt://127.8.9.1:1884\", password_file: x", ""},
    {FRAME_UPLINK, "name: u, url: \"mqtt://[::1]\", password_file: x", ""},
    {FRAME_UPLINK, "name: u, url: mqtt://localhost, password_file: x", ""},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1.5, password_file: x",
     "5:20: error: `url`: there is no valid host in `mqtt://127.0.0.1.5`\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://localhost.example, password_file: x",
     "5:20: error: the password would go to `localhost.example` in clear text: use mqtts://, or say "
     "`insecure: true`\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, topic_root: a/#",
     "5:50: error: `topic_root` must not hold + or #, nor begin with $ or /, nor end in /: `a/#`\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, topic_root: /a",
     "5:50: error: `topic_root` must not hold + or #, nor begin with $ or /, nor end in /: `/a`\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, topic_root: $SYS",
     "5:50: error: `topic_root` must not hold + or #, nor begin with $ or /, nor end in /: `$SYS`\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, keepalive: 1500ms",
     "5:49: error: `keepalive` is counted in whole seconds\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, keepalive: 0s",
     "5:49: error: `keepalive` must be 1s to 65535s, not `0s`\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, telemetry: {devices: gas-2}",
     "5:59: error: there is no device `gas-2`; did you mean `gas-1`?\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, telemetry: {devices: [\"x*\"]}",
     "5:60: error: `x*` matches no device\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, telemetry: {send: yes}",
     "5:56: error: `send` must be true or false, not `yes`\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, telemetry: {send: \"true\"}",
     "5:56: error: `send` must be true or false, not the text \"true\"\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, alarms: {from: none}",
     "5:53: error: `from` must be one of blue, yellow, orange, red, not `none`\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, backfill: {rate: 200}",
     "5:55: error: `rate` must be a rate such as 200/s, or unlimited, not `200`\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, backfill: {rate: 0/s}",
     "5:55: error: `rate` must be 0.001 to 1000000, not `0/s`\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, backfill: {rate: 200/m}",
     "5:55: error: `rate` must be a rate such as 200/s, or unlimited, not `200/m`\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, commands: [ack, shelve, backfill, read]", ""},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, commands: []", ""},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, commands: ack",
     "5:48: error: `commands` must be a list of names such as [ack, read], not `ack`\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, commands: ~",
     "5:38: error: `commands` must be a list of names such as [ack, read], not nothing\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, commands: {ack: true}",
     "5:38: error: `commands` must be a list of names such as [ack, read], not a mapping\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, commands: [ack, write]",
     "5:54: error: `commands` must be one of ack, shelve, backfill, read, not `write`\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, commands: [unshelve]",
     "5:49: error: `commands` must be one of ack, shelve, backfill, read, not `unshelve`; did you mean "
     "`shelve`?\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, commands: [ACK]",
     "5:49: error: `commands` must be one of ack, shelve, backfill, read, not `ACK`\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, commands: [\"\"]",
     "5:49: error: `commands` must be one of ack, shelve, backfill, read, not ``\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, commands: [[ack], ~, 5]",
     "5:49: error: `commands` must be one of ack, shelve, backfill, read, not a list\n"
     "5:56: error: `commands` must be one of ack, shelve, backfill, read, not nothing\n"
     "5:59: error: `commands` must be one of ack, shelve, backfill, read, not `5`\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, commands: [read, ack, read]",
     "5:60: error: `commands` names `read` twice\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, commands: [ack], commands: [read]",
     "5:55: error: `commands` is given twice, first in line 5\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, receipts: true", ""},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, protocol: 3.1.1, receipts: true", ""},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, receipts: yes",
     "5:48: error: `receipts` must be true or false, not `yes`\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, receipts: 1",
     "5:48: error: `receipts` must be true or false, not `1`\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, receipts: [alarm]",
     "5:38: error: `receipts` must be true or false, not a list\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, receipts: \"true\"",
     "5:48: error: `receipts` must be true or false, not the text \"true\"\n"},
    {FRAME_UPLINK,
     "name: u, url: mqtt://127.0.0.1, }\n"
     "  - {name: u, url: mqtt://127.0.0.1, ",
     "6:12: error: the uplink `u` is defined already, first at c.yaml:5\n"},
    {FRAME_UPLINK,
     "name: u, url: mqtt://127.0.0.1, client_id: x}\n"
     "  - {name: v, url: \"mqtt://127.0.0.1:1883\", client_id: x",
     "6:5: error: the client identifier `x` is used by the uplink at c.yaml:5 already, at the same broker\n"},
    {FRAME_UPLINK, "name: u, url: mqtt://127.0.0.1, pasword_file: x",
     "5:38: error: unknown key `pasword_file` in an uplink; did you mean `password_file`?\n"},
};

static void test_uplink(void **state)
{
    (void)state;
    check_rows(rows, RG_COUNT(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_uplink)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

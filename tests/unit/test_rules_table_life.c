/* LINK rg_rules rg_test_support */
/* What people and plants do to alarms, as rows: latch and shelve. As test_rules_table.c. */
#include "rules_stage.h"

static const struct stage_row rows[] = {
    /* Latch. */
    {"latch: stands until acknowledged", STEPS " latch=blue", "100:a=50 200:a=0 9000:tick 10000:ack",
     "100 raise none>red 50/50; 10000 ack red>red -/- acked; 10000 clear red>none 0/50 acked", NULL, false},
    {"latch: acknowledged before, it falls as any other", STEPS " latch=blue",
     "100:a=50 200:ack 300:a=22 400:a=0",
     "100 raise none>red 50/50; 200 ack red>red -/- acked; 300 deescalate red>yellow 22/50 acked; 400 clear "
     "yellow>none 0/20 acked",
     NULL, false},
    {"latch: acknowledged while it stands, then gone", STEPS " latch=blue",
     "100:a=50 200:a=0 300:a=60 400:ack 500:a=0",
     "100 raise none>red 50/50; 400 ack red>red -/- acked; 500 clear red>none 0/50 acked", NULL, false},
    {"latch: the acknowledgement gives what the readings say by then", STEPS " latch=blue",
     "100:a=50 200:a=0 300:a=22 400:ack 500:a=0",
     "100 raise none>red 50/50; 400 ack red>red -/- acked; 400 deescalate red>yellow 22/50 acked; 500 clear "
     "yellow>none 0/20 acked",
     NULL, false},
    {"latch: the off-delay runs meanwhile", STEPS " latch=blue off=2s", "100:a=10 200:a=0 1500:ack 9000:tick",
     "100 raise none>blue 10/10; 1500 ack blue>blue -/- acked; 2200 clear blue>none 0/10 acked", NULL, false},
    {"latch: the off-delay is over", STEPS " latch=blue off=2s", "100:a=10 200:a=0 2200:ack",
     "100 raise none>blue 10/10; 2200 ack blue>blue -/- acked; 2200 clear blue>none 0/10 acked", NULL, false},
    {"latch: each level's off-delay", STEPS " latch=blue off=10s",
     "100:a=60 1000:a=30 6000:a=0 12000:ack 30000:tick",
     "100 raise none>red 60/50; 12000 ack red>red -/- acked; 12000 deescalate red>orange 0/50 acked; 16000 "
     "clear orange>none 0/25 acked",
     NULL, false},
    {"latch: an escalation takes the acknowledgement back", STEPS " latch=blue",
     "100:a=10 200:ack 300:a=20 400:a=0 500:ack",
     "100 raise none>blue 10/10; 200 ack blue>blue -/- acked; 300 escalate blue>yellow 20/20; 500 ack "
     "yellow>yellow -/- acked; 500 clear yellow>none 0/20 acked",
     NULL, false},
    {"latch: up goes on", STEPS " latch=blue on=1s", "100:a=10 1200:a=0 2000:a=50 9000:tick",
     "1100 raise none>blue 10/10; 3000 escalate blue>red 50/50", NULL, false},
    {"latch: from a level on, below it", STEPS " latch=orange", "100:a=20 200:a=0",
     "100 raise none>yellow 20/20; 200 clear yellow>none 0/20", NULL, false},
    {"latch: from a level on, at it", STEPS " latch=orange", "100:a=25 200:a=0 300:ack",
     "100 raise none>orange 25/25; 300 ack orange>orange -/- acked; 300 clear orange>none 0/25 acked", NULL,
     false},
    {"latch: a bad reading lowers nothing at the acknowledgement", STEPS " latch=blue",
     "100:a=50 200:a=0 300:a=!comm 400:ack 500:a=0",
     "100 raise none>red 50/50; 400 ack red>red -/- acked; 500 clear red>none 0/50 acked", NULL, false},
    {"latch: its dead-band holds", STEPS " latch=blue", "100:a=20 200:a=19.5 300:ack 400:a=18.9",
     "100 raise none>yellow 20/20; 300 ack yellow>yellow -/- acked; 400 deescalate yellow>blue 18.9/20 acked",
     NULL, false},
    {"latch: restored, not acknowledged", STEPS " latch=blue", "100:a=0 9000:tick", "", "r d.a yellow",
     false},
    {"latch: restored, acknowledged", STEPS " latch=blue", "100:a=0", "100 clear yellow>none 0/20 acked",
     "r d.a yellow acked", false},
    /* Shelve. */
    {"shelve: ends by itself at its instant", STEPS, "100:a=50 200:shelve=1m 60199:tick 60200:tick",
     "100 raise none>red 50/50; 200 shelve red>red -/-; 60200 unshelve red>red -/-", NULL, false},
    {"shelve: ends at its instant though time came late", STEPS, "100:a=50 200:shelve=1m 90000:a=50",
     "100 raise none>red 50/50; 200 shelve red>red -/-; 60200 unshelve red>red -/-", NULL, false},
    {"shelve: ended by a person", STEPS, "100:a=50 200:shelve=1m 300:unshelve 90000:tick",
     "100 raise none>red 50/50; 200 shelve red>red -/-; 300 unshelve red>red -/-", NULL, false},
    {"shelve: of a lower level, an escalation ends it", STEPS, "100:a=10 200:shelve=1m 300:a=50 90000:tick",
     "100 raise none>blue 10/10; 200 shelve blue>blue -/-; 300 unshelve blue>blue -/- (escalated); 300 "
     "escalate "
     "blue>red 50/50",
     NULL, false},
    {"shelve: stepping down keeps it", STEPS, "100:a=50 200:shelve=1m 300:a=10 90000:tick",
     "100 raise none>red 50/50; 200 shelve red>red -/-; 300 deescalate red>blue 10/50; 60200 unshelve "
     "blue>blue "
     "-/-",
     NULL, false},
    {"shelve: of one occurrence only", STEPS, "100:a=50 200:shelve=1m 300:a=0 400:a=50 90000:tick",
     "100 raise none>red 50/50; 200 shelve red>red -/-; 300 clear red>none 0/50; 400 raise none>red 50/50",
     NULL, false},
    {"shelve: and acknowledged", STEPS, "100:a=50 200:shelve=1m 300:ack 400:a=0 90000:tick",
     "100 raise none>red 50/50; 200 shelve red>red -/-; 300 ack red>red -/- acked; 400 clear red>none 0/50 "
     "acked",
     NULL, false},
};

static void every_row(void **state)
{
    (void)state;
    stage_rows(rows, RG_COUNT(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_row)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

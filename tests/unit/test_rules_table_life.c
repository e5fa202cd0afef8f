/* LINK rg_rules rg_test_support */
/* What people and plants do to alarms, as rows: latch and shelve. As test_rules_table.c. */
#include "rules_stage.h"

#define STEPS "above=blue:10,yellow:20,orange:25,red:50 deadband=1"

static const struct stage_row rows[] = {
    /* Latch. */
    {"latch: stands when the condition is gone", STEPS " latch=blue", "100:a=50 200:a=0 90000:tick",
     "100 raise none>red 50/50", NULL, false},
    {"latch: clears with the acknowledgement, after it", STEPS " latch=blue", "100:a=50 200:a=0 5000:ack",
     "100 raise none>red 50/50; 5000 ack red>red -/- acked; 5000 clear red>none 0/50 acked", NULL, false},
    {"latch: acknowledged first, it clears by itself", STEPS " latch=blue", "100:a=50 200:ack 300:a=0",
     "100 raise none>red 50/50; 200 ack red>red -/- acked; 300 clear red>none 0/50 acked", NULL, false},
    {"latch: the off-delay counts on, acknowledged or not", STEPS " latch=blue off=10s",
     "100:a=50 1000:a=0 5000:ack 10999:tick 11000:tick",
     "100 raise none>red 50/50; 5000 ack red>red -/- acked; 11000 clear red>none 0/50 acked", NULL, false},
    {"latch: off-delays of two levels at the acknowledgement", STEPS " latch=blue off=10s",
     "100:a=50 1000:a=30 8000:a=0 12000:ack 17999:tick 18000:tick",
     "100 raise none>red 50/50; 12000 ack red>red -/- acked; 12000 deescalate red>orange 0/50 acked; 18000 "
     "clear orange>none 0/25 acked",
     NULL, false},
    {"latch: no stepping down either", STEPS " latch=blue", "100:a=50 200:a=30 5000:ack",
     "100 raise none>red 50/50; 5000 ack red>red -/- acked; 5000 deescalate red>orange 30/50 acked", NULL,
     false},
    {"latch: from a level on", STEPS " latch=orange", "100:a=20 200:a=0 300:a=25 400:a=0 9000:tick",
     "100 raise none>yellow 20/20; 200 clear yellow>none 0/20; 300 raise none>orange 25/25", NULL, false},
    {"latch: an escalation takes the acknowledgement back", STEPS " latch=blue",
     "100:a=10 200:ack 300:a=50 400:a=0 9000:tick",
     "100 raise none>blue 10/10; 200 ack blue>blue -/- acked; 300 escalate blue>red 50/50", NULL, false},
    {"latch: bad quality and the acknowledgement do not clear", STEPS " latch=blue",
     "100:a=50 200:a=0 300:a=!comm 400:ack 500:a=0",
     "100 raise none>red 50/50; 400 ack red>red -/- acked; 500 clear red>none 0/50 acked", NULL, false},
    {"latch: the value came back before the acknowledgement", STEPS " latch=blue",
     "100:a=50 200:a=0 300:a=50 400:ack 9000:tick", "100 raise none>red 50/50; 400 ack red>red -/- acked",
     NULL, false},
    {"latch: a restored one", STEPS " latch=blue", "100:a=0 9000:tick", "", "r d.a yellow", false},
    {"latch: a restored one, acknowledged before", STEPS " latch=blue", "100:a=0",
     "100 clear yellow>none 0/20 acked", "r d.a yellow acked", false},
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

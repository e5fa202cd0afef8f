/* LINK rg_rules rg_test_support */
/* Every clause of rules.h as a row: a site, what happens, and the transitions that must follow, each row
 * with time split in three ways that must make no difference. */
#include "rules_stage.h"

#define STEPS "above=blue:10,yellow:20,orange:25,red:50 deadband=1"
#define O2 "above=yellow:23.5,red:25 below=yellow:19.5,red:18 deadband=0.2"
#define SILENT "device d offline=10s:yellow\npoint a\nrule r points=d.a " STEPS

/* rule, script, events and restore: as in rules_stage.h. */
struct row {
    const char *name, *rule, *script, *events, *restore;
    bool late; /* its script goes back in time: time is not split further */
};

static const struct row rows[] = {
    /* Levels and limits. */
    {"below the lowest limit nothing", STEPS, "100:a=9.99 1000:tick", "", NULL, false},
    {"above holds at the limit", STEPS, "100:a=10", "100 raise none>blue 10/10", NULL, false},
    {"straight to red is one raise", STEPS, "100:a=50", "100 raise none>red 50/50", NULL, false},
    {"up step by step", STEPS, "100:a=10 200:a=20 300:a=25 400:a=50",
     "100 raise none>blue 10/10; 200 escalate blue>yellow 20/20; 300 escalate yellow>orange 25/25; "
     "400 escalate orange>red 50/50",
     NULL, false},
    {"down step by step", STEPS, "100:a=60 200:a=30 300:a=22 400:a=12 500:a=0",
     "100 raise none>red 60/50; 200 deescalate red>orange 30/50; 300 deescalate orange>yellow 22/25; "
     "400 deescalate yellow>blue 12/20; 500 clear blue>none 0/10",
     NULL, false},
    {"straight down is one clear", STEPS, "100:a=60 200:a=0",
     "100 raise none>red 60/50; 200 clear red>none 0/50", NULL, false},
    {"levels may be left out", "above=yellow:20,red:50", "100:a=30 200:a=60 300:a=30",
     "100 raise none>yellow 30/20; 200 escalate yellow>red 60/50; 300 deescalate red>yellow 30/50", NULL,
     false},
    {"a new occurrence after a clear", "above=blue:10", "100:a=10 200:a=9 300:a=10",
     "100 raise none>blue 10/10; 200 clear blue>none 9/10; 300 raise none>blue 10/10", NULL, false},
    {"below holds at the limit", "below=yellow:5,red:2 deadband=0.5",
     "100:a=5.01 200:a=5 300:a=5.5 400:a=5.51", "200 raise none>yellow 5/5; 400 clear yellow>none 5.51/5",
     NULL, false},
    {"below, down and up again", "below=yellow:5,red:2 deadband=0.5", "100:a=2 200:a=2.5 300:a=2.6 400:a=9",
     "100 raise none>red 2/2; 300 deescalate red>yellow 2.6/2; 400 clear yellow>none 9/5", NULL, false},
    {"negative limits", "below=blue:-10,red:-50 above=blue:-1", "100:a=-5 200:a=-10 300:a=-50 400:a=0",
     "200 raise none>blue -10/-10; 300 escalate blue>red -50/-50; 400 deescalate red>blue 0/-50", NULL,
     false},
    {"is", "is=3:red,2:orange", "100:a=0 200:a=2 300:a=3 400:a=2 500:a=1",
     "200 raise none>orange 2/-; 300 escalate orange>red 3/-; 400 deescalate red>orange 2/-; 500 clear "
     "orange>none 1/-",
     NULL, false},
    {"is knows no dead-band", "is=1:yellow deadband=5", "100:a=1 200:a=2",
     "100 raise none>yellow 1/-; 200 clear yellow>none 2/-", NULL, false},
    {"the highest of is and above", "is=999:red above=blue:100", "100:a=999 200:a=150 300:a=99",
     "100 raise none>red 999/-; 200 deescalate red>blue 150/-; 300 clear blue>none 99/100", NULL, false},
    {"two is of one value", "is=1:blue,1:red,1:yellow", "100:a=1", "100 raise none>red 1/-", NULL, false},
    {"an f32 meets its decimal limit",
     "device d\npoint a type=f32\nrule r points=d.a above=yellow:19.9 below=blue:1.1 is=7.7:red",
     "100:a=19.9 200:a=7.7 300:a=5 400:a=1.1",
     "100 raise none>yellow 19.9/19.9; 200 escalate yellow>red 7.7/-; 300 clear red>none 5/-; 400 raise "
     "none>blue 1.1/1.1",
     NULL, false},
    {"a scaled f32 is a double", "device d\npoint a type=f32 den=10\nrule r points=d.a above=yellow:19.9",
     "100:a=19.9", "", NULL, false},
    /* Dead-band. */
    {"dead-band: at its edge the level holds", STEPS, "100:a=20 200:a=19 300:a=18.99",
     "100 raise none>yellow 20/20; 300 deescalate yellow>blue 18.99/20", NULL, false},
    {"dead-band: not for a level never reached", STEPS, "100:a=12 200:a=19.5", "100 raise none>blue 12/10",
     NULL, false},
    {"dead-band: decimal, 1.1 - 0.2 is 0.9", "above=blue:1.1 deadband=0.2", "100:a=1.1 200:a=0.9 300:a=0.89",
     "100 raise none>blue 1.1/1.1; 300 clear blue>none 0.89/1.1", NULL, false},
    {"dead-band: both sides at their edges", O2,
     "100:a=20.9 200:a=23.5 300:a=23.3 400:a=23.29 500:a=19.5 600:a=19.7 700:a=19.71",
     "200 raise none>yellow 23.5/23.5; 400 clear yellow>none 23.29/23.5; 500 raise none>yellow 19.5/19.5; "
     "700 clear yellow>none 19.71/19.5",
     NULL, false},
    {"dead-band: each side for itself", O2, "100:a=26 200:a=19.6",
     "100 raise none>red 26/25; 200 clear red>none 19.6/25", NULL, false},
    {"dead-band: from one side over to the other", O2, "100:a=26 200:a=18 300:a=19.6 400:a=20",
     "100 raise none>red 26/25; 300 deescalate red>yellow 19.6/18; 400 clear yellow>none 20/19.5", NULL,
     false},
    {"dead-band: left once, to be reached anew", STEPS " off=1s", "100:a=20 200:a=5 300:a=19.5 2000:tick",
     "100 raise none>yellow 20/20; 1200 deescalate yellow>blue 19.5/20", NULL, false},
    {"dead-band: a level stepped down from is not reached", STEPS, "100:a=50 200:a=30 300:a=49.5",
     "100 raise none>red 50/50; 200 deescalate red>orange 30/50", NULL, false},
    {"dead-band: wider than the steps", "above=blue:10,red:20 deadband=15",
     "100:a=20 200:a=6 300:a=4 400:a=-5.5",
     "100 raise none>red 20/20; 300 deescalate red>blue 4/20; 400 clear blue>none -5.5/10", NULL, false},
    /* On-delay. */
    {"on-delay: raises at its end", STEPS " on=3s", "100:a=50 1000:a=51 3099:tick 3100:tick",
     "3100 raise none>red 51/50", NULL, false},
    {"on-delay: at its end though time came late", STEPS " on=3s", "100:a=50 60000:tick",
     "3100 raise none>red 50/50", NULL, false},
    {"on-delay: broken just before", STEPS " on=3s", "100:a=50 3099:a=9 9000:tick", "", NULL, false},
    {"on-delay: a break at its very end is too late", STEPS " on=3s", "100:a=50 3100:a=0 9000:tick",
     "3100 raise none>red 50/50; 3100 clear red>none 0/50", NULL, false},
    {"on-delay: begins anew after a break", STEPS " on=1s", "100:a=10 600:a=9 700:a=10 1699:tick 1700:tick",
     "1700 raise none>blue 10/10", NULL, false},
    {"on-delay: each level its clock", STEPS " on=3s", "100:a=12 1100:a=60 9000:tick",
     "3100 raise none>blue 60/10; 4100 escalate blue>red 60/50", NULL, false},
    {"on-delay: the highest that held, not the last", STEPS " on=3s",
     "100:a=30 1000:a=60 2000:a=30 9000:tick", "3100 raise none>orange 30/25", NULL, false},
    {"on-delay: no dead-band while it runs", STEPS " on=1s", "100:a=20 600:a=19.5 700:a=20 9000:tick",
     "1100 raise none>blue 20/10; 1700 escalate blue>yellow 20/20", NULL, false},
    {"on-delay: for escalation too, broken", STEPS " on=1s", "100:a=10 1200:a=50 2100:a=10.5 9000:tick",
     "1100 raise none>blue 10/10", NULL, false},
    {"on-delay: for escalation too, held", STEPS " on=1s", "100:a=10 1200:a=50 9000:tick",
     "1100 raise none>blue 10/10; 2200 escalate blue>red 50/50", NULL, false},
    {"on-delay: over both sides", "above=red:50 below=yellow:5 on=3s", "100:a=4 2100:a=60 9000:tick",
     "3100 raise none>yellow 60/50; 5100 escalate yellow>red 60/50", NULL, false},
    {"on-delay: back to an active level without one", STEPS " on=1s off=5s",
     "100:a=20 2000:a=0 3000:a=20 9000:tick", "1100 raise none>yellow 20/20", NULL, false},
    /* Off-delay. */
    {"off-delay: clears at its end", STEPS " off=2s", "100:a=10 200:a=0 2199:tick 2200:tick",
     "100 raise none>blue 10/10; 2200 clear blue>none 0/10", NULL, false},
    {"off-delay: broken", STEPS " off=2s", "100:a=10 200:a=0 2199:a=10 9000:tick",
     "100 raise none>blue 10/10", NULL, false},
    {"off-delay: inside the band is no way back", STEPS " off=2s", "100:a=10 200:a=0 1000:a=9.5 2200:tick",
     "100 raise none>blue 10/10; 2200 clear blue>none 9.5/10", NULL, false},
    {"off-delay: a return at its very end is a new occurrence", STEPS " off=2s", "100:a=10 200:a=0 2200:a=10",
     "100 raise none>blue 10/10; 2200 clear blue>none 0/10; 2200 raise none>blue 10/10", NULL, false},
    {"off-delay: each level its clock", STEPS " off=10s", "100:a=60 1000:a=30 6000:a=0 30000:tick",
     "100 raise none>red 60/50; 11000 deescalate red>orange 0/50; 16000 clear orange>none 0/25", NULL, false},
    {"off-delay: never below what came back within it", STEPS " off=10s",
     "100:a=60 1000:a=0 2000:a=30 30000:tick", "100 raise none>red 60/50; 11000 deescalate red>orange 30/50",
     NULL, false},
    {"off-delay: the top's return begins it anew", STEPS " off=10s",
     "100:a=60 1000:a=0 5000:a=60 6000:a=0 30000:tick", "100 raise none>red 60/50; 16000 clear red>none 0/50",
     NULL, false},
    {"off-delay: escalation out of it", STEPS " off=2s", "100:a=20 200:a=0 1000:a=50 9000:tick",
     "100 raise none>yellow 20/20; 1000 escalate yellow>red 50/50", NULL, false},
    {"off-delay: after a pending escalation", STEPS " on=1s off=2s", "100:a=10 1200:a=50 1300:a=0 9000:tick",
     "1100 raise none>blue 10/10; 3300 clear blue>none 0/10", NULL, false},
    /* Bad quality. */
    {"bad: nothing out of nothing", STEPS, "100:a=!sensor 200:a=5 300:a=!comm 9000:tick", "", NULL, false},
    {"bad: an alarm holds", STEPS, "100:a=50 200:a=!comm 90000:tick", "100 raise none>red 50/50", NULL,
     false},
    {"bad: then good decides", STEPS, "100:a=50 200:a=!inhibited 300:a=0",
     "100 raise none>red 50/50; 300 clear red>none 0/50", NULL, false},
    {"bad: in the band, the level stays reached", STEPS, "100:a=20 200:a=!comm 300:a=19.5",
     "100 raise none>yellow 20/20", NULL, false},
    {"bad: stops an off-delay", STEPS " off=2s",
     "100:a=10 200:a=0 1000:a=!sensor 6000:a=0 7999:tick 8000:tick",
     "100 raise none>blue 10/10; 8000 clear blue>none 0/10", NULL, false},
    {"bad: stops every level's off-delay", STEPS " off=2s",
     "100:a=20 200:a=15 1000:a=!comm 1500:a=0 9000:tick",
     "100 raise none>yellow 20/20; 3500 clear yellow>none 0/20", NULL, false},
    {"bad: at an off-delay's very end is too late", STEPS " off=2s", "100:a=10 200:a=0 2200:a=!comm",
     "100 raise none>blue 10/10; 2200 clear blue>none 0/10", NULL, false},
    {"bad: freezes an on-delay, confirmed after its end", STEPS " on=3s",
     "100:a=10 1000:a=!range 5000:tick 6000:a=10", "6000 raise none>blue 10/10", NULL, false},
    {"bad: freezes an on-delay, confirmed before its end", STEPS " on=3s",
     "100:a=10 1000:a=!range 2000:a=11 9000:tick", "3100 raise none>blue 11/10", NULL, false},
    {"bad: freezes an on-delay, denied", STEPS " on=3s", "100:a=10 1000:a=!range 5000:a=9 9000:tick", "",
     NULL, false},
    {"bad: freezes an on-delay, confirmed in part", STEPS " on=3s",
     "100:a=50 1000:a=!range 5000:a=20 9000:tick", "5000 raise none>yellow 20/20", NULL, false},
    {"bad: twice, then confirmed", STEPS " on=1s", "100:a=10 200:a=!comm 300:a=!device 400:a=10 9000:tick",
     "1100 raise none>blue 10/10", NULL, false},
    {"bad: at an on-delay's very end is too late", STEPS " on=3s", "100:a=10 3100:a=!comm 9000:tick",
     "3100 raise none>blue 10/10", NULL, false},
    {"bad: freezes an escalation", STEPS " on=1s", "100:a=10 1200:a=50 1500:a=!comm 4000:tick 5000:a=50",
     "1100 raise none>blue 10/10; 5000 escalate blue>red 50/50", NULL, false},
    {"bad: a frozen escalation, then low", STEPS " on=1s off=1s",
     "100:a=10 1200:a=50 1500:a=!comm 5000:a=0 9000:tick",
     "1100 raise none>blue 10/10; 6000 clear blue>none 0/10", NULL, false},
    {"bad: higher after it begins its own clock", STEPS " on=3s", "100:a=10 1000:a=!comm 2000:a=50 9000:tick",
     "3100 raise none>blue 50/10; 5000 escalate blue>red 50/50", NULL, false},
    {"bad: no clock begins with it", STEPS " on=1s", "100:a=!comm 200:a=10 9000:tick",
     "1200 raise none>blue 10/10", NULL, false},
    {"bad: what is no number", STEPS, "100:a=inf 200:a=10 300:a=nan 400:a=-inf", "200 raise none>blue 10/10",
     NULL, false},
    /* Order. */
    {"order: rules of a point",
     "device d\npoint a\nrule r points=d.a above=blue:10\nrule q points=d.a below=red:20", "100:a=15",
     "100 raise none>blue 15/10; 100 raise none>red q d.a 15/20", NULL, false},
    {"order: samples of a frame", "device d\npoint a\npoint b\nrule r points=d.* above=blue:10",
     "100:b=11,a=12", "100 raise none>blue r d.b 11/10; 100 raise none>blue 12/10", NULL, false},
    {"order: deadlines by time", "device d\npoint a\npoint b\nrule r points=d.* above=blue:10 on=1s",
     "100:b=11 200:a=12 9000:tick", "1100 raise none>blue r d.b 11/10; 1200 raise none>blue 12/10", NULL,
     false},
    {"order: equal deadlines by point", "device d\npoint a\npoint b\nrule r points=d.* above=blue:10 on=1s",
     "100:b=11,a=12 9000:tick", "1100 raise none>blue 12/10; 1100 raise none>blue r d.b 11/10", NULL, false},
    {"order: a point twice in a frame", STEPS, "100:a=50,a=0",
     "100 raise none>red 50/50; 100 clear red>none 0/50", NULL, false},
    {"late: a frame is taken at its own instant", STEPS " on=1s", "2000:tick 500:a=10 3000:tick",
     "1500 raise none>blue 10/10", NULL, true},
    {"late: and broken at its own", STEPS " on=1s", "2000:tick 500:a=10 600:a=0 3000:tick", "", NULL, true},
    {"late: but not before its point's last", STEPS, "1000:a=10 500:a=0",
     "1000 raise none>blue 10/10; 1000 clear blue>none 0/10", NULL, true},
    {"late: nor before its last transition", STEPS " on=1s", "100:a=10 2000:tick 1050:a=0",
     "1100 raise none>blue 10/10; 1100 clear blue>none 0/10", NULL, true},
    /* Acknowledgement. */
    {"ack: taken back by escalation, kept by stepping down", STEPS,
     "100:a=10 200:ack 300:a=50 400:ack 500:a=12 600:a=0",
     "100 raise none>blue 10/10; 200 ack blue>blue -/- acked; 300 escalate blue>red 50/50; 400 ack red>red "
     "-/- acked; "
     "500 deescalate red>blue 12/50 acked; 600 clear blue>none 0/10 acked",
     NULL, false},
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
    /* Silence. */
    {"offline: never heard", SILENT, "9999:tick 10000:tick 90000:tick",
     "10000 raise none>yellow offline d -/-", NULL, false},
    {"offline: heard begins the wait anew", SILENT, "5000:a=1 14999:tick 15000:tick",
     "15000 raise none>yellow offline d -/-", NULL, false},
    {"offline: a frame not heard does not", SILENT, "5000:mute 9000:a=!comm 10000:tick",
     "10000 raise none>yellow offline d -/-", NULL, false},
    {"offline: a bad reading that was heard does", SILENT, "9000:a=!sensor 18999:tick 19000:tick",
     "19000 raise none>yellow offline d -/-", NULL, false},
    {"offline: cleared when heard, then again", SILENT, "11000:mute 12000:a=1 22000:tick",
     "10000 raise none>yellow offline d -/-; 12000 clear yellow>none offline d -/-; 22000 raise none>yellow "
     "offline d -/-",
     NULL, false},
    {"offline: heard at its very instant is too late", SILENT, "10000:a=1",
     "10000 raise none>yellow offline d -/-; 10000 clear yellow>none offline d -/-", NULL, false},
    {"offline: cleared before the samples count", SILENT, "11000:a=50",
     "10000 raise none>yellow offline d -/-; 11000 clear yellow>none offline d -/-; 11000 raise none>red "
     "50/50",
     NULL, false},
    {"offline: an alarm of a value outlives its device's silence", SILENT, "100:a=50 90000:tick",
     "100 raise none>red 50/50; 10100 raise none>yellow offline d -/-", NULL, false},
    {"offline: not asked for", STEPS, "90000:tick", "", NULL, false},
    {"offline: late news clears at the raise", SILENT, "12000:tick 9000:a=1 18999:tick 19000:tick",
     "10000 raise none>yellow offline d -/-; 10000 clear yellow>none offline d -/-; 19000 raise none>yellow "
     "offline d -/-",
     NULL, true},
    /* Restored. */
    {"restore: stands without a word", STEPS, "90000:tick", "", "r d.a yellow", false},
    {"restore: its dead-band holds", STEPS, "100:a=19.5 200:a=18.9", "200 deescalate yellow>blue 18.9/20",
     "r d.a yellow", false},
    {"restore: a good sample clears", STEPS, "100:a=0", "100 clear yellow>none 0/20", "r d.a yellow", false},
    {"restore: a bad one does not", STEPS, "100:a=!comm 90000:tick", "", "r d.a yellow", false},
    {"restore: off-delay from the first sample", STEPS " off=2s", "100:a=0 2099:tick 2100:tick",
     "2100 clear yellow>none 0/20", "r d.a yellow", false},
    {"restore: on-delay for escalation", STEPS " on=1s", "100:a=50 1100:tick", "1100 escalate blue>red 50/50",
     "r d.a blue", false},
    {"restore: acknowledged", STEPS, "100:a=20 200:a=50", "200 escalate yellow>red 50/50",
     "r d.a yellow acked", false},
    {"restore: acknowledged to its end", STEPS, "100:a=0", "100 clear yellow>none 0/20 acked",
     "r d.a yellow acked", false},
    {"restore: below, left", "below=yellow:5 deadband=1", "100:a=6 200:a=6.1", "200 clear yellow>none 6.1/5",
     "r d.a yellow", false},
    {"restore: is", "is=1:red", "100:a=1 200:a=0", "200 clear red>none 0/-", "r d.a red", false},
    {"restore: rule gone", STEPS, "100:a=0", "0 clear red>none gone d.a -/- (no longer configured)",
     "gone d.a red", false},
    {"restore: point gone", STEPS, "100:a=0", "0 clear red>none r d.x -/- (no longer configured)",
     "r d.x red", false},
    {"restore: point no longer in the rule", STEPS, "100:a=0",
     "0 clear red>none r d.b -/- (no longer configured)", "r d.b red", false},
    {"restore: level gone", "above=blue:10", "100:a=50",
     "0 clear red>none -/- (no longer configured); 100 raise none>blue 50/10", "r d.a red", false},
    {"restore: two claim one", STEPS, "100:a=0",
     "0 clear red>none -/- (no longer configured); 100 clear yellow>none 0/20", "r d.a yellow;r d.a red",
     false},
    {"restore: silence", SILENT, "90000:tick 91000:a=1", "91000 clear yellow>none offline d -/-",
     "offline d yellow", false},
    {"restore: silence at another level", SILENT, "10000:tick",
     "0 clear red>none offline d -/- (no longer configured); 10000 raise none>yellow offline d -/-",
     "offline d red", false},
    {"restore: silence of a device gone", SILENT, "1:tick",
     "0 clear red>none offline e -/- (no longer configured)", "offline e red", false},
};

static void run_row(const struct row *row, enum stage_split split)
{
    struct stage st;

    stage_begin(&st, row->rule, row->restore);
    stage_play(&st, row->script, split);
    if (strcmp(st.events, row->events) != 0)
        fail_msg("\n  row  %s (split %d)\n  want %s\n  got  %s", row->name, (int)split, row->events,
                 st.events);
    stage_end(&st);
}

static void every_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        run_row(&rows[i], SPLIT_NONE);
        if (rows[i].late)
            continue;
        run_row(&rows[i], SPLIT_DEADLINES);
        run_row(&rows[i], SPLIT_EVERY_MS);
    }
    print_message("%zu rows\n", RG_COUNT(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_row)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

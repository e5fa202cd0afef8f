/* LINK rg_rules rg_test_support */
/* Limits that follow other points, votes, guards and permits, as rows: a site, what happens, and the transitions that must
 * follow. */
#include "rules_stage.h"

#define PAIR "device d\npoint a\npoint base\nrule r points=d.a "
#define THREE "device d\npoint a\npoint b\npoint c\nrule v points=d.* "
#define FAN "device d\npoint a\npoint fan\nrule r points=d.a above=yellow:20,red:50 "
#define TANK "device d\npoint a\npermit tank\nrule r points=d.a permit=tank above=yellow:20,red:50 "

static const struct stage_row references[] = {
    {"holds at the followed limit", PAIR "above=red:@d.base*1.2+5", "100:base=10 200:a=16.9 300:a=17",
     "300 raise none>red 17/17", NULL, false},
    {"rounded as a decimal", PAIR "above=red:@d.base*1.1", "100:base=3 200:a=3.3",
     "200 raise none>red 3.3/3.3", NULL, false},
    {"judged anew when the other comes", PAIR "above=red:@d.base", "100:base=10 200:a=9 300:base=9",
     "300 raise none>red 9/9", NULL, false},
    {"and lowered by it", PAIR "above=red:@d.base", "100:base=10 200:a=10 300:base=11",
     "200 raise none>red 10/10; 300 clear red>none 10/11", NULL, false},
    {"both in one frame: the new limit counts", PAIR "above=red:@d.base",
     "100:base=10,a=9 200:a=20,base=30 300:base=5,a=4", "", NULL, false},
    {"in one frame, either order", PAIR "above=red:@d.base",
     "100:base=10,a=9 200:base=30,a=20 300:a=4,base=5 400:a=6,base=6", "400 raise none>red 6/6", NULL, false},
    {"never seen: not known", PAIR "above=red:@d.base", "100:a=99999 9000:tick", "", NULL, false},
    {"bad: not known", PAIR "above=red:@d.base", "100:base=10 200:base=!sensor 300:a=99 400:base=10",
     "400 raise none>red 99/10", NULL, false},
    {"bad lowers nothing", PAIR "above=red:@d.base", "100:base=10,a=12 200:base=!comm 300:a=0 400:base=10",
     "100 raise none>red 12/10; 400 clear red>none 0/10", NULL, false},
    {"bad: a number alone raises, up to its level", PAIR "above=blue:10,red:@d.base",
     "100:base=50 200:base=!comm 300:a=60 400:a=5 500:base=50",
     "300 raise none>blue 60/10; 500 clear blue>none 5/10", NULL, false},
    {"bad below a level that is given: all is known", PAIR "above=blue:@d.base,red:50",
     "100:a=60 200:a=50 300:a=49 400:base=10", "100 raise none>red 60/50; 400 deescalate red>blue 49/50",
     NULL, false},
    {"on-delay runs through its limit's changes", PAIR "above=red:@d.base on=3s",
     "1000:base=10,a=12 2000:base=11 3000:base=12 4000:tick", "4000 raise none>red 12/12", NULL, false},
    {"on-delay broken by its limit", PAIR "above=red:@d.base on=3s",
     "1000:base=10,a=12 2000:base=13 3000:base=12 5999:tick 6000:tick", "6000 raise none>red 12/12", NULL,
     false},
    {"on-delay frozen while not known", PAIR "above=red:@d.base on=3s",
     "1000:base=10,a=12 2000:base=!comm 5000:tick 6000:base=10", "6000 raise none>red 12/10", NULL, false},
    {"on-delay broken by a good reading short of a number, whatever the unknown limit above it",
     PAIR "above=orange:50,red:@d.base on=3s", "1000:a=60 2000:a=10 5000:a=60 7999:tick 8000:tick",
     "8000 raise none>orange 60/50", NULL, false},
    {"and that of the unknown limit, which is above the number", PAIR "above=orange:50,red:@d.base on=3s",
     "1000:base=90,a=99 2000:base=!comm 3000:a=10 9000:a=99 9500:base=90 12000:tick 12499:tick 12500:tick",
     "12000 raise none>orange 99/50; 12500 escalate orange>red 99/90", NULL, false},
    {"short of a number above the unknown limit: that one's clock waits",
     PAIR "above=blue:10,orange:@d.base,red:50 on=3s",
     "1000:base=30,a=60 2000:base=!comm,a=40 3000:a=60 4000:tick 5000:base=30 6000:tick",
     "4000 raise none>orange 60/-; 6000 escalate orange>red 60/50", NULL, false},
    {"short of a number on the other side only", PAIR "above=yellow:50 below=orange:@d.base on=3s",
     "1000:base=20,a=10 2000:base=!comm,a=10 6000:base=20", "6000 raise none>orange 10/20", NULL, false},
    {"a number that is not reached any more lowers nothing", PAIR "above=orange:50,red:@d.base",
     "1000:a=60 2000:a=10 9000:base=90", "1000 raise none>orange 60/50; 9000 clear orange>none 10/50", NULL,
     false},
    {"off-delay stopped while not known", PAIR "above=red:@d.base off=2s",
     "1000:base=10,a=12 2000:a=0 3000:base=!comm 5000:tick 6000:base=10 8000:tick",
     "1000 raise none>red 12/10; 8000 clear red>none 0/10", NULL, false},
    {"dead-band goes with its limit", PAIR "above=red:@d.base deadband=1",
     "100:base=10,a=10 200:a=9.5 300:base=10.6 400:base=10",
     "100 raise none>red 10/10; 300 clear red>none 9.5/10.6", NULL, false},
    {"below", PAIR "below=red:@d.base*0.5", "100:base=10,a=6 200:a=5 300:base=8",
     "200 raise none>red 5/5; 300 clear red>none 5/4", NULL, false},
    {"negative", PAIR "above=red:@d.base*1.2", "100:base=-10,a=-13 200:a=-12", "200 raise none>red -12/-12",
     NULL, false},
    {"the watched one is bad when the other comes", PAIR "above=red:@d.base",
     "100:base=10,a=9 200:a=!sensor 300:base=1 400:a=9", "400 raise none>red 9/1", NULL, false},
    {"two limits, two others",
     "device d\npoint a\npoint x\npoint y\nrule r points=d.a above=blue:@d.x,red:@d.y",
     "100:x=10,y=20 200:a=15 300:y=14 400:x=99", "200 raise none>blue 15/10; 300 escalate blue>red 15/14",
     NULL, false},
    {"each of many with its own",
     "device d\npoint a\npoint base\ndevice e\npoint a\npoint base\nrule r points=*.a "
     "above=red:@.base",
     "100:d.base=10 110:e.base=20 200:d.a=15 210:e.a=15 300:e.base=15",
     "200 raise none>red 15/10; 300 raise none>red r e.a 15/15", NULL, false},
    {"itself: never past its own, never silent",
     "device d\npoint a\nrule r points=d.a above=red:@d.a+1 below=red:@d.a+-1",
     "100:a=5 200:a=50 300:a=!comm 400:a=1", "", NULL, false},
    {"itself, at its own limit", "device d\npoint a\nrule r points=d.a above=red:@d.a",
     "100:a=5 200:a=!comm 300:a=1", "100 raise none>red 5/5", NULL, false},
    {"beyond any number: not known", PAIR "above=red:@d.base*1e300", "100:base=1e300 200:a=5 300:base=0",
     "300 raise none>red 5/0", NULL, false},
    {"restored: stands until both are known", PAIR "above=red:@d.base", "100:a=5 200:base=9",
     "200 clear red>none 5/9", "r d.a red", false},
};

static const struct stage_row votes[] = {
    {"two of three", THREE "vote=2 above=red:50", "100:a=60,b=0,c=0 200:b=50", "200 raise none>red v - 50/50",
     NULL, false},
    {"the level that two have", THREE "vote=2 above=blue:10,red:50",
     "100:a=60,b=12,c=0 200:c=70 300:a=0 400:c=0",
     "100 raise none>blue v - 12/10; 200 escalate blue>red v - 70/50; 300 deescalate red>blue v - 0/50; "
     "400 clear blue>none v - 0/10",
     NULL, false},
    {"the delays are the vote's", THREE "vote=2 above=red:50 on=3s off=2s",
     "1000:a=60,b=0,c=0 9000:b=60 10000:a=0,c=60 12000:tick 13000:b=0 15000:tick",
     "12000 raise none>red v - 60/50; 15000 clear red>none v - 0/50", NULL, false},
    {"a break of the vote breaks its delay", THREE "vote=2 above=red:50 on=3s",
     "1000:a=60,b=60,c=0 2000:a=0 3000:a=60 5999:tick 6000:tick", "6000 raise none>red v - 60/50", NULL,
     false},
    {"each member has its dead-band", THREE "vote=2 above=red:50 deadband=5",
     "100:a=50,b=0,c=0 200:a=46 300:b=50 400:b=45 500:b=44.9",
     "300 raise none>red v - 50/50; 500 clear red>none v - 44.9/50", NULL, false},
    {"unseen members are no bad ones", THREE "vote=2 above=red:50", "100:a=60 9000:tick", "", NULL, false},
    {"counts: a bad member lowers the need", THREE "vote=2 above=red:50", "100:a=60,b=0,c=0 200:c=!comm",
     "200 raise none>red v - 60/50", NULL, false},
    {"counts: one good one must be at it", THREE "vote=1 above=red:50", "100:a=!comm,b=!comm,c=0 200:c=!comm",
     "", NULL, false},
    {"counts: a voter turns bad, nothing clears", THREE "vote=1 above=red:50",
     "100:a=60,b=0,c=0 200:a=!comm 300:b=1 400:c=1 9000:tick 9100:a=1",
     "100 raise none>red v - 60/50; 9100 clear red>none v - 1/50", NULL, false},
    {"all bad: nothing moves", THREE "vote=2 above=red:50 off=1s",
     "100:a=60,b=60,c=0 200:a=!comm,b=!comm,c=!comm 9000:a=!comm 9500:tick 9600:a=0 9700:b=0 9800:c=0 "
     "10699:tick 10700:tick",
     "100 raise none>red v - 60/50; 10700 clear red>none v - 0/50", NULL, false},
    {"a bad member does not stop the off-delay of good ones", THREE "vote=2 above=red:50 off=2s",
     "100:a=60,b=60,c=0 200:c=!comm 1000:a=0,b=0 1500:c=!comm 2500:c=!comm 3000:tick",
     "100 raise none>red v - 60/50; 3000 clear red>none v - 0/50", NULL, false},
    {"on-delay frozen when a voter turns bad", THREE "vote=2:holds above=red:50 on=3s",
     "1000:a=60,b=60,c=0 2000:a=!comm 3000:b=!comm 5000:tick 6000:b=60", "6000 raise none>red v - 60/50",
     NULL, false},
    {"members short of a number break the on-delay, whatever the unknown limit above it",
     "device d\npoint a\npoint b\npoint base\nrule v points=d.a,d.b vote=2 above=orange:50,red:@d.base on=3s",
     "1000:a=60,b=60 2000:a=10,b=10 5000:a=60,b=60 7999:tick 8000:tick", "8000 raise none>orange v - 60/50",
     NULL, false},
    {"and where bad ones hold",
     "device d\npoint a\npoint b\npoint base\nrule v points=d.a,d.b vote=2:holds above=orange:50,red:@d.base "
     "on=3s",
     "1000:a=60,b=60 2000:a=10 5000:a=60 7999:tick 8000:tick", "8000 raise none>orange v - 60/50", NULL,
     false},
    {"and lower nothing",
     "device d\npoint a\npoint b\npoint base\nrule v points=d.a,d.b vote=2 above=orange:50,red:@d.base",
     "1000:a=60,b=60 2000:a=10,b=10 9000:base=90",
     "1000 raise none>orange v - 60/50; 9000 clear orange>none v - 10/50", NULL, false},
    {"holds: a bad member keeps its vote", THREE "vote=2:holds above=red:50",
     "100:a=60,b=0,c=0 200:a=!comm 300:b=60", "300 raise none>red v - 60/50", NULL, false},
    {"holds: and its absence", THREE "vote=2:holds above=red:50", "100:a=60,b=0,c=0 200:c=!comm 9000:tick",
     "", NULL, false},
    {"is", THREE "vote=2 is=1:orange", "100:a=1,b=0,c=1 200:a=0",
     "100 raise none>orange v - 1/-; "
     "200 clear orange>none v - 0/-",
     NULL, false},
    {"members in several votes",
     "device d\npoint a\npoint b\npoint c\nrule v points=d.a,d.b vote=2 above=red:50\n"
     "rule w points=d.b,d.c vote=1 above=red:50\nrule r points=d.a above=red:50",
     "100:a=60,b=60,c=0 200:b=0",
     "100 raise none>red 60/50; 100 raise none>red v - 60/50; 100 raise none>red w - 60/50; "
     "200 clear red>none v - 0/50; 200 clear red>none w - 0/50",
     NULL, false},
    {"members' limits follow others",
     "device d\npoint a\npoint base\ndevice e\npoint a\npoint base\nrule v points=*.a "
     "vote=2 above=red:@.base",
     "100:d.base=10,d.a=15 200:e.base=20,e.a=15 300:e.base=15", "300 raise none>red v - 15/15", NULL, false},
    {"a member whose limit is not known is a bad one",
     "device d\npoint a\npoint base\ndevice e\npoint a\npoint base\n"
     "rule v points=*.a vote=2 above=red:@.base",
     "100:d.base=10,d.a=15 200:e.a=15", "200 raise none>red v - 15/10", NULL, false},
    {"a vote of one", "device d\npoint a\nrule v points=d.a vote=1 above=red:50",
     "100:a=60 200:a=!comm 300:a=0", "100 raise none>red v - 60/50; 300 clear red>none v - 0/50", NULL,
     false},
    {"more needed than there are", "device d\npoint a\nrule v points=d.a vote=2 above=red:50",
     "100:a=60 200:a=!comm", "", NULL, false},
    {"latched", THREE "vote=2 above=red:50 latch=red", "100:a=60,b=60,c=0 200:a=0,b=0 300:ack",
     "100 raise none>red v - 60/50; 300 ack red>red v - -/- acked; 300 clear red>none v - 0/50 acked", NULL,
     false},
    {"restored: stands until enough are heard", THREE "vote=2 above=red:50", "100:a=0 200:b=0",
     "200 clear red>none v - 0/50", "v - red", false},
    {"restored: of a rule that votes no more", THREE "above=red:50", "100:a=0",
     "0 clear red>none v - -/- (no longer configured)", "v - red", false},
    {"restored: of a rule that votes now", THREE "vote=2 above=red:50", "100:a=0",
     "0 clear red>none v d.a -/- (no longer configured)", "v d.a red", false},
    {"restored: acknowledged and latched", THREE "vote=2 above=red:50 latch=red", "100:a=0,b=0",
     "100 clear red>none v - 0/50 acked", "v - red acked", false},
};

static const struct stage_row guards[] = {
    {"not armed: nothing is raised", FAN "when=d.fan:1", "100:fan=0 200:a=60 300:a=70", "", NULL, false},
    {"armed again: the next sample decides", FAN "when=d.fan:1", "100:fan=0 200:a=60 300:fan=1 400:a=60",
     "400 raise none>red 60/50", NULL, false},
    {"never seen, or bad: armed", FAN "when=d.fan:1", "100:a=20 200:fan=0 300:fan=!comm 400:a=60",
     "100 raise none>yellow 20/20; 200 suppress yellow>yellow -/- (guard d.fan); 300 unsuppress "
     "yellow>yellow -/- "
     "(guard d.fan); 400 escalate yellow>red 60/50",
     NULL, false},
    {"an alarm stands as it is", FAN "when=d.fan:1",
     "100:fan=1,a=20 200:fan=0 300:a=60 400:a=0 500:fan=1 600:a=0",
     "100 raise none>yellow 20/20; 200 suppress yellow>yellow -/- (guard d.fan); 500 unsuppress "
     "yellow>yellow -/- "
     "(guard d.fan); 600 clear yellow>none 0/20",
     NULL, false},
    {"decided before the frame's samples", FAN "when=d.fan:1", "100:a=0,fan=1 200:a=60,fan=0 300:a=60,fan=1",
     "300 raise none>red 60/50", NULL, false},
    {"on-delays are dropped", FAN "when=d.fan:1 on=3s",
     "1000:fan=1,a=60 2000:fan=0 3000:fan=1 5000:tick 6000:a=60 9000:tick", "9000 raise none>red 60/50", NULL,
     false},
    {"off-delays are dropped", FAN "when=d.fan:1 off=3s",
     "1000:fan=1,a=60 2000:a=0 3000:fan=0 9000:tick 9100:fan=1 9200:a=0 12200:tick",
     "1000 raise none>red 60/50; 3000 suppress red>red -/- (guard d.fan); 9100 unsuppress red>red -/- (guard "
     "d.fan); "
     "12200 clear red>none 0/50",
     NULL, false},
    {"a delay that ends at its instant has ended", FAN "when=d.fan:1 on=3s", "1000:fan=1,a=60 4000:fan=0",
     "4000 raise none>red 60/50; 4000 suppress red>red -/- (guard d.fan)", NULL, false},
    {"flapping", FAN "when=d.fan:1", "100:fan=1,a=60 200:fan=0 201:fan=1 202:fan=0 203:fan=0 204:fan=1",
     "100 raise none>red 60/50; 200 suppress red>red -/- (guard d.fan); 201 unsuppress red>red -/- (guard "
     "d.fan); "
     "202 suppress red>red -/- (guard d.fan); 204 unsuppress red>red -/- (guard d.fan)",
     NULL, false},
    {"flapping: no on-delay ever ends", FAN "when=d.fan:1 on=2s",
     "1000:fan=1,a=60 2000:fan=0 2001:fan=1 2500:a=60 3500:fan=0 3501:fan=1 4500:tick 9000:tick", "", NULL,
     false},
    {"any of several values", FAN "when=d.fan:1|2", "100:fan=2 200:a=20 300:fan=3",
     "200 raise none>yellow 20/20; 300 suppress yellow>yellow -/- (guard d.fan)", NULL, false},
    {"above", FAN "when=d.fan>100", "100:fan=99 200:a=60 300:fan=100,a=60", "300 raise none>red 60/50", NULL,
     false},
    {"below", FAN "when=d.fan<100", "100:fan=101 200:a=60 300:fan=100,a=60", "300 raise none>red 60/50", NULL,
     false},
    {"its own value", "device d\npoint a\nrule r points=d.a above=red:50 when=d.a<90",
     "100:a=60 200:a=95 300:a=0",
     "100 raise none>red 60/50; 200 suppress red>red -/- (guard d.a); 300 unsuppress red>red -/- (guard "
     "d.a); "
     "300 clear red>none 0/50",
     NULL, false},
    {"a latch is suppressed once it is acknowledged", FAN "when=d.fan:1 latch=red",
     "100:fan=1,a=60 200:a=0 300:fan=0 400:ack 500:fan=1 600:a=0",
     "100 raise none>red 60/50; 400 ack red>red -/- acked; 400 suppress red>red -/- acked (guard d.fan); "
     "500 unsuppress red>red -/- acked (guard d.fan); 600 clear red>none 0/50 acked",
     NULL, false},
    {"a guarded vote", THREE "vote=2 above=red:50 when=d.c:0",
     "100:c=0,a=60,b=60 200:c=1 300:a=0,b=0 400:c=0 500:a=0",
     "100 raise none>red v - 60/50; 200 suppress red>red v - -/- (guard d.c); 400 unsuppress red>red v - -/- "
     "(guard d.c); 400 clear red>none v - 0/50",
     NULL, false},
    {"late news: at the last instant", FAN "when=d.fan:1", "100:fan=1,a=60 5000:a=60 200:fan=0",
     "100 raise none>red 60/50; 5000 suppress red>red -/- (guard d.fan)", NULL, true},
    {"restored: until the guard is heard", FAN "when=d.fan:1", "100:a=0 200:fan=0 300:a=0 400:fan=1 500:a=0",
     "400 unsuppress red>red -/- (guard d.fan); 500 clear red>none 0/50", "r d.a red suppressed", false},
    {"restored: the guard is bad", FAN "when=d.fan:1", "100:a=0 200:fan=!comm 300:a=60",
     "200 unsuppress red>red -/- (guard d.fan)", "r d.a red suppressed", false},
    {"restored: no guard any more", FAN, "100:a=60", "0 unsuppress red>red -/-", "r d.a red suppressed",
     false},
    {"restored: suppressed before it was guarded", FAN "when=d.fan:1", "100:fan=0",
     "100 suppress red>red -/- (guard d.fan)", "r d.a red", false},
};

static const struct stage_row permits[] = {
    {"closed: not armed", TANK, "100:a=60", "", NULL, false},
    {"open: armed", TANK, "100:permit=tank:1s 200:a=60", "200 raise none>red 60/50", NULL, false},
    {"closes by itself", TANK, "100:permit=tank:1s 200:a=60 1099:tick 1100:tick 2000:a=0",
     "200 raise none>red 60/50; 1100 suppress red>red -/- (permit tank)", NULL, false},
    {"a latch that nobody answered is not silenced by the end of the work", TANK "latch=red",
     "100:permit=tank:1s 200:a=60 300:a=0 1100:tick 1200:a=0 2000:ack 3000:permit=tank:9s 3100:a=0",
     "200 raise none>red 60/50; 2000 ack red>red -/- acked; 2000 suppress red>red -/- acked (permit tank); "
     "3000 unsuppress red>red "
     "-/- acked (permit tank); 3100 clear red>none 0/50 acked",
     NULL, false},
    {"an answered one is", TANK "latch=red", "100:permit=tank:1s 200:a=60 300:ack 1100:tick",
     "200 raise none>red 60/50; 300 ack red>red -/- acked; 1100 suppress red>red -/- acked (permit tank)",
     NULL, false},
    {"below its latch it is", TANK "latch=red", "100:permit=tank:1s 200:a=30 1100:tick",
     "200 raise none>yellow 30/20; 1100 suppress yellow>yellow -/- (permit tank)", NULL, false},
    {"a latch over a restart", TANK "latch=red", "100:a=0 200:tick", "", "r d.a red", false},
    {"an answered one over a restart", TANK "latch=red", "100:a=0 200:tick",
     "0 suppress red>red -/- acked (permit tank)", "r d.a red acked", false},
    {"suppressed by a version that did so", TANK "latch=red", "100:a=0 200:tick",
     "0 unsuppress red>red -/- (permit tank)", "r d.a red suppressed", false},
    {"closed by hand", TANK, "100:permit=tank:1s 200:a=60 300:permit=tank:0",
     "200 raise none>red 60/50; 300 suppress red>red -/- (permit tank)", NULL, false},
    {"opened again, the alarm counts again", TANK, "100:permit=tank:1s 200:a=60 2000:permit=tank:1s 2100:a=0",
     "200 raise none>red 60/50; 1100 suppress red>red -/- (permit tank); 2000 unsuppress red>red -/- (permit "
     "tank); "
     "2100 clear red>none 0/50",
     NULL, false},
    {"prolonged", TANK, "100:permit=tank:1s 200:a=60 1000:permit=tank:5s 5999:tick 6000:tick",
     "200 raise none>red 60/50; 6000 suppress red>red -/- (permit tank)", NULL, false},
    {"shortened", TANK, "100:permit=tank:1h 200:a=60 1000:permit=tank:1s 2000:tick",
     "200 raise none>red 60/50; 2000 suppress red>red -/- (permit tank)", NULL, false},
    {"a delay that ends with it has ended", TANK "on=1s", "100:permit=tank:2s 1100:a=60 9000:tick",
     "2100 raise none>red 60/50; 2100 suppress red>red -/- (permit tank)", NULL, false},
    {"a delay that ends later is dropped", TANK "on=1s", "100:permit=tank:2s 1101:a=60 9000:tick", "", NULL,
     false},
    {"with a guard: both must hold",
     "device d\npoint a\npoint fan\npermit tank\nrule r points=d.a permit=tank "
     "when=d.fan:1 above=red:50",
     "100:fan=1 200:a=60 300:permit=tank:1s 400:a=60 500:fan=0 600:permit=tank:0 700:fan=1 "
     "800:permit=tank:1s",
     "400 raise none>red 60/50; 500 suppress red>red -/- (guard d.fan); 800 unsuppress red>red -/- (permit "
     "tank)",
     NULL, false},
    {"a vote", "device d\npoint a\npoint b\npermit tank\nrule v points=d.* vote=1 permit=tank above=red:50",
     "100:a=60 200:permit=tank:1s 300:b=0 1200:tick",
     "300 raise none>red v - 60/50; 1200 suppress red>red v - -/- "
     "(permit tank)",
     NULL, false},
    {"several rules of one permit",
     "device d\npoint a\npoint b\npermit tank\nrule r points=d.* permit=tank above=red:50",
     "100:permit=tank:1s 200:a=60,b=60 1100:tick",
     "200 raise none>red 60/50; 200 raise none>red r d.b 60/50; "
     "1100 suppress red>red -/- (permit tank); 1100 suppress red>red r d.b -/- (permit tank)",
     NULL, false},
    {"restored open: nothing is said", TANK, "100:a=60 4999:tick 5000:tick",
     "5000 suppress red>red -/- (permit tank)", "permit=tank:5s;r d.a red", false},
    {"restored closed: the alarm is suppressed", TANK, "100:a=60", "0 suppress red>red -/- (permit tank)",
     "r d.a red", false},
    {"restored closed and suppressed: nothing is said", TANK, "100:a=60 200:permit=tank:1s",
     "200 unsuppress red>red -/- (permit tank)", "r d.a red suppressed", false},
    {"restored open and suppressed: it counts", TANK, "100:a=60", "0 unsuppress red>red -/- (permit tank)",
     "permit=tank:5s;r d.a red suppressed", false},
};

/* A reload that changes nothing makes no difference, whenever it comes: after each item of the script. */
static void reload_anywhere(const struct stage_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char first[2048];

        for (const char *cut = strchr(rows[i].script, ' '); cut && !rows[i].late;
             cut = strchr(cut + 1, ' ')) {
            const char *item = cut;
            struct stage st;
            int64_t at;

            while (item > rows[i].script && item[-1] != ' ')
                item--;
            at = strtoll(item, NULL, 10);
            assert_true(
                text_format(first, sizeof first, "%.*s", (int)(cut - rows[i].script), rows[i].script));
            stage_begin(&st, rows[i].rule, rows[i].restore);
            stage_play(&st, first, SPLIT_NONE);
            stage_reload(&st, rows[i].rule, (struct moment){at, at + WALL});
            stage_play(&st, cut + 1, SPLIT_NONE);
            if (strcmp(st.events, rows[i].events) != 0)
                fail_msg("\n  row  %s, reload after %s\n  want %s\n  got  %s", rows[i].name, first,
                         rows[i].events, st.events);
            stage_end(&st);
        }
    }
}

/* What a reload changes. */
static const struct {
    const char *name, *before, *script;
    int64_t at;
    const char *after, *then, *events;
} reloads[] = {
    {"a limit follows another point",
     "device d\npoint a\npoint x\npoint y\nrule r points=d.a above=red:@d.x on=3s", "1000:x=10,y=10,a=12",
     2000, "device d\npoint a\npoint x\npoint y\nrule r points=d.a above=red:@d.y on=3s",
     "4000:tick 5000:a=12 8000:y=10", "8000 raise none>red 12/10"},
    {"another factor", PAIR "above=red:@d.base on=3s", "1000:base=0,a=12", 2000,
     PAIR "above=red:@d.base*2 on=3s", "4000:tick 5000:a=12 8000:tick", "8000 raise none>red 12/0"},
    {"a vote needs more", THREE "vote=1 above=red:50 on=3s", "1000:a=60,b=60,c=0", 2000,
     THREE "vote=2 above=red:50 on=3s", "4000:tick 5000:a=60,b=60 8000:tick",
     "8000 raise none>red v - 60/50"},
    {"a vote gets another member",
     "device d\npoint a\npoint b\npoint c\nrule v points=d.a,d.b vote=2 above=red:50", "1000:a=60,b=60", 2000,
     THREE "vote=2 above=red:50", "3000:a=0 4000:b=0 5000:c=0",
     "1000 raise none>red v - 60/50; 4000 clear red>none v - 0/50"},
    {"a guard is given", FAN, "1000:fan=0,a=60", 2000, FAN "when=d.fan:1",
     "3000:a=0 4000:fan=0 5000:fan=1,a=0", "1000 raise none>red 60/50; 3000 clear red>none 0/50"},
    {"a guard that was known for another rule", FAN "\nrule q points=d.a above=red:999 when=d.fan:1",
     "1000:fan=0,a=60", 2000, FAN "when=d.fan:1", "3000:a=0",
     "1000 raise none>red 60/50; 2000 suppress red>red -/- (guard d.fan)"},
    {"a guard is taken away", FAN "when=d.fan:1", "1000:fan=1,a=60 1500:fan=0", 2000, FAN, "3000:a=0",
     "1000 raise none>red 60/50; 1500 suppress red>red -/- (guard d.fan); 2000 unsuppress red>red -/-; "
     "3000 clear red>none 0/50"},
    {"a guard tests something else", FAN "when=d.fan:1", "1000:fan=1,a=60 1500:fan=0", 2000,
     FAN "when=d.fan:0", "3000:a=0",
     "1000 raise none>red 60/50; 1500 suppress red>red -/- (guard d.fan); 2000 unsuppress red>red -/- (guard "
     "d.fan); "
     "3000 clear red>none 0/50"},
    {"a permit is given", "device d\npoint a\npermit tank\nrule r points=d.a above=red:50", "1000:a=60", 2000,
     TANK, "3000:a=0", "1000 raise none>red 60/50; 2000 suppress red>red -/- (permit tank)"},
    {"a permit is taken away", TANK, "500:permit=tank:1s 1000:a=60 1600:tick", 2000,
     "device d\npoint a\nrule r points=d.a above=red:50", "3000:a=0",
     "1000 raise none>red 60/50; 1500 suppress red>red -/- (permit tank); 2000 unsuppress red>red -/-; "
     "3000 clear red>none 0/50"},
};

static void reload(void **state)
{
    (void)state;
    reload_anywhere(references, RG_COUNT(references));
    reload_anywhere(votes, RG_COUNT(votes));
    reload_anywhere(guards, RG_COUNT(guards));
    reload_anywhere(permits, RG_COUNT(permits));
    for (size_t i = 0; i < RG_COUNT(reloads); i++) {
        struct stage st;

        stage_begin(&st, reloads[i].before, NULL);
        stage_play(&st, reloads[i].script, SPLIT_NONE);
        stage_reload(&st, reloads[i].after, (struct moment){reloads[i].at, reloads[i].at + WALL});
        stage_play(&st, reloads[i].then, SPLIT_NONE);
        if (strcmp(st.events, reloads[i].events) != 0)
            fail_msg("\n  reload %s\n  want %s\n  got  %s", reloads[i].name, reloads[i].events, st.events);
        stage_end(&st);
    }
}

static void follow(void **state)
{
    (void)state;
    stage_rows(references, RG_COUNT(references));
}

static void vote(void **state)
{
    (void)state;
    stage_rows(votes, RG_COUNT(votes));
}

static void guard(void **state)
{
    (void)state;
    stage_rows(guards, RG_COUNT(guards));
}

static void permit(void **state)
{
    (void)state;
    stage_rows(permits, RG_COUNT(permits));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follow), cmocka_unit_test(vote),   cmocka_unit_test(guard),
        cmocka_unit_test(permit), cmocka_unit_test(reload),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Small sites from a few words of text, for tests of everything that takes a struct site.
 *
 * One thing a line, first its kind and name, then key=value without spaces (durations as in the
 * configuration):
 *     area shop parent=plant inherent=orange label=Shop aggregate=gb39496
 *     bus b1 host=127.0.0.1 port=1502            or: bus b2 path=/dev/ttyS1 baud=9600
 *     device d bus=b1 unit=1 poll=1s area=shop offline=10s:yellow label=Probe record=20s:60s
 *     point a type=f32 unit=%LEL holding=0 change=0.5       (of the device above it)
 *           doubt=10s:yellow flat=30m band=0.1 rate=2 twin=d.b within=5
 *     rule r points=d.a,*.b above=blue:10,red:50 below=red:2 is=3:red deadband=1 on=3s off=10s latch=blue message=high
 *     rule v points=*.b vote=2:holds above=blue:@.a*1.2+5 when=.fan:1|2 permit=tank latch=blue
 *     permit tank max=8h                         (before the rules that need it)
 *     output siren device=d coil=0 area=shop from=orange silence=1 stop=off assert=10s fault=yellow label=Siren
 * (a rule may look at a signal: mean=15m, rate= sum= max= min= delta= twa= flat=; coverage=75 band=1 wrap=65536)
 * (an output follows area= or rule=, is at coil= or holding= with on= and off=)
 * (a limit @point*times+plus follows another point, when=point:values, point>limit or point<limit guards; a point that begins
 * with a dot is of the watched one's device; points= comes before them)
 * A thing comes after what it refers to. What is left out has a usable default: a device without bus= gets
 * the bus "bus" (made when needed), without offline= it raises nothing; a point is a holding register of its
 * own, u16. A mistake in the text ends the test program with a message. */
#ifndef RG_TESTS_SUPPORT_SITE_H
#define RG_TESTS_SUPPORT_SITE_H

#include "base/arena.h"
#include "model/site.h"

struct support_site {
    struct arena arena; /* holds everything; tests may take memory from it too */
    struct site site;   /* may be changed by the test before it is used */
};

void support_site_build(struct support_site *s, const char *text);
void support_site_free(struct support_site *s);

/* Indices by name; an unknown name ends the test program. */
uint32_t support_site_area(const struct site *site, const char *name);
uint32_t support_site_device(const struct site *site, const char *name);
uint32_t support_site_point(const struct site *site, const char *full_name);
uint32_t support_site_rule(const struct site *site, const char *name);
uint32_t support_site_output(const struct site *site, const char *name);

#endif

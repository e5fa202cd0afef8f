/* LINK rg_config rg_modbus rg_modbus_model rg_test_support */
/* Every shipped profile: loaded as a site would load it, planned by the real planner, its vectors decoded as a
 * poll would decode them, status words and heartbeats included. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/profile.h"
#include "modbus_image.h"
#include "support_tmp.h"

#define PROFILES_LEAST 24
#define POINTS_MOST 64
#define POLL_US INT64_C(1000000)

static char shipped[1024];
static char folder[SUPPORT_TMP_SIZE];
static char site_file[SUPPORT_TMP_SIZE + 16];
static struct profile_list list;

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(shipped, sizeof shipped, "%s/config/profiles", getenv("RG_SOURCE_DIR"));
    if (setenv("RISKGATE_PROFILES", shipped, 1) != 0 || !support_tmp_dir(folder))
        return -1;
    (void)snprintf(site_file, sizeof site_file, "%s/site.yaml", folder);
    return profile_list(shipped, &list) == RG_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    profile_list_free(&list);
    return support_tmp_remove(folder) ? 0 : -1;
}

static struct config *load_profile(const char *name)
{
    char path[2048];
    struct config *config;

    (void)snprintf(path, sizeof path, "%s/%s.yaml", shipped, name);
    assert_int_equal(config_load_profile(path, &config), RG_OK);
    config_print(config, stderr);
    if (!config->profile || config->error_count + config->warning_count > 0)
        fail_msg("%s is no good profile", name);
    return config;
}

/* The site of a vector, read from a file of its own, which finds the profile by its name. */
static struct config *load_site(const struct profile *profile, const struct profile_vector *vector)
{
    FILE *f = fopen(site_file, "w");
    struct config *config;

    assert_non_null(f);
    profile_write_site(f, profile, vector);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(config_load(site_file, &config), RG_OK);
    if (!config->site) {
        config_print(config, stderr);
        fail_msg("%s: the site of `%s` is refused", profile->name, vector->about);
    }
    assert_int_equal(config->site->device_count, 1);
    assert_string_equal(config->site->devices[0].profile, profile->name);
    return config;
}

static const struct site_point *find_point(const struct site *site, const char *name)
{
    for (size_t i = 0; i < site->point_count; i++)
        if (strcmp(site->points[i].name, name) == 0)
            return &site->points[i];
    return NULL;
}

static void test_count(void **state)
{
    (void)state;
    assert_true(list.count >= PROFILES_LEAST);
}

/* What a point says in numbers, it says in a unit. */
static void check_units(const struct config *config)
{
    for (size_t i = 0; i < config->site->point_count; i++) {
        const struct site_point *p = &config->site->points[i];
        bool number = p->bit < 0 && p->type != TYPE_BOOL && p->word_count == 0;

        if (number && !p->unit)
            fail_msg("%s: %s has no unit", config->profile->name, p->name);
    }
}

/* Every point is shown to be read well by at least one vector. */
static void check_all_shown(const struct config *config)
{
    const struct profile *profile = config->profile;

    for (size_t i = 0; i < config->site->point_count; i++) {
        const char *name = config->site->points[i].name;
        bool shown = false;

        for (size_t v = 0; v < profile->vector_count; v++)
            for (size_t e = 0; e < profile->vectors[v].expect_count; e++)
                shown = shown || (strcmp(profile->vectors[v].expects[e].point, name) == 0 &&
                                  profile->vectors[v].expects[e].quality == QUALITY_GOOD);
        if (!shown)
            fail_msg("%s: no vector shows a good reading of %s", profile->name, name);
    }
}

/* What the profile asks for, no more, is given by each vector. */
static void check_gives(const struct profile *profile, const struct profile_vector *vector)
{
    for (size_t a = 0; a < profile->ask_count; a++) {
        bool given = false;

        for (size_t g = 0; g < vector->give_count; g++)
            given = given || strcmp(vector->gives[g].key, profile->asks[a].key) == 0;
        if (!given)
            fail_msg("%s: `%s` does not give %s", profile->name, vector->about, profile->asks[a].key);
    }
    assert_int_equal(vector->give_count, profile->ask_count);
}

static void test_stated(void **state)
{
    (void)state;
    for (size_t i = 0; i < list.count; i++) {
        struct config *config = load_profile(list.names[i]);
        const struct profile *profile = config->profile;

        assert_string_equal(profile->name, list.names[i]);
        /* A sentence, not a word to satisfy the key. */
        assert_true(strlen(profile->source) > 10 && strlen(profile->note) > 40);
        assert_true(profile->maker[0] && profile->device[0] && profile->reads[0]);
        assert_true(profile->vector_count > 0);
        for (size_t v = 0; v < profile->vector_count; v++)
            check_gives(profile, &profile->vectors[v]);
        check_units(config);
        check_all_shown(config);
        config_free(config);
    }
}

static bool answers(const struct profile_vector *vector, enum point_space space, uint32_t address)
{
    for (size_t i = 0; i < vector->answer_count; i++)
        if (vector->answers[i].space == space && vector->answers[i].address == address)
            return true;
    return false;
}

/* A vector holds all that its expectations rest on: nothing is decoded from zeros that nobody wrote. */
static void check_complete(const struct site *site, const struct profile *profile,
                           const struct profile_vector *vector)
{
    for (size_t g = 0; g < site->devices[0].gate_count; g++) {
        const struct site_register *at = &site->devices[0].gates[g].at;

        if (!answers(vector, at->space, at->address))
            fail_msg("%s: `%s` does not say %s %u", profile->name, vector->about, point_space_name(at->space),
                     at->address);
    }
    for (size_t e = 0; e < vector->expect_count; e++) {
        const struct site_point *p = find_point(site, vector->expects[e].point);

        if (!p)
            fail_msg("%s: `%s` expects %s, which is no point", profile->name, vector->about,
                     vector->expects[e].point);
        for (uint32_t w = 0; w < point_type_words(p->type); w++)
            if (!answers(vector, p->space, p->address + w))
                fail_msg("%s: `%s` does not say %s %u", profile->name, vector->about,
                         point_space_name(p->space), p->address + w);
        if (p->has_decimals && !answers(vector, p->decimals.space, p->decimals.address))
            fail_msg("%s: `%s` does not say the decimals", profile->name, vector->about);
    }
}

static void fill_image(struct image *image, const struct profile_vector *vector)
{
    memset(image, 0, sizeof *image);
    for (size_t i = 0; i < vector->answer_count; i++)
        image->words[vector->answers[i].space][vector->answers[i].address] = vector->answers[i].value;
}

static void check_expectation(const struct profile *profile, const struct profile_vector *vector,
                              const struct profile_expect *wanted, const struct sample *found)
{
    if (found->quality != wanted->quality)
        fail_msg("%s: `%s`: %s is %s, not %s", profile->name, vector->about, wanted->point,
                 quality_name(found->quality), quality_name(wanted->quality));
    /* A float holds what the manual prints to seven digits. */
    if (wanted->quality == QUALITY_GOOD &&
        fabs(found->value - wanted->value) > 1e-6 * fmax(1, fabs(wanted->value)))
        fail_msg("%s: `%s`: %s is %.10g, not %.10g", profile->name, vector->about, wanted->point,
                 found->value, wanted->value);
}

static void plan(const struct site *site, struct driver_plan **out, struct driver_memory **memory)
{
    assert_int_equal(modbus_driver.plan(&site->devices[0], site->points, site->point_count, 0, out), RG_OK);
    assert_int_equal(memory_create(&site->devices[0], (*out)->register_count - (*out)->gate_count, memory),
                     RG_OK);
}

static void check_vector(const struct profile *profile, const struct profile_vector *vector)
{
    static struct image image;
    struct config *config = load_site(profile, vector);
    const struct site *site = config->site;
    struct sample samples[POINTS_MOST];
    struct driver_memory *memory;
    struct driver_plan *planned;

    assert_true(site->point_count <= POINTS_MOST);
    check_complete(site, profile, vector);
    fill_image(&image, vector);
    plan(site, &planned, &memory);
    image_ask_all(&(struct image_poll){&image, planned, memory, POLL_US, 0}, samples);
    for (size_t e = 0; e < vector->expect_count; e++)
        check_expectation(profile, vector, &vector->expects[e],
                          &samples[find_point(site, vector->expects[e].point) - site->points]);
    memory_destroy(memory);
    modbus_driver.plan_destroy(planned);
    config_free(config);
}

static void test_vectors(void **state)
{
    size_t printed = 0;
    size_t derived = 0;

    (void)state;
    for (size_t i = 0; i < list.count; i++) {
        struct config *config = load_profile(list.names[i]);

        for (size_t v = 0; v < config->profile->vector_count; v++) {
            check_vector(config->profile, &config->profile->vectors[v]);
            *(config->profile->vectors[v].derived ? &derived : &printed) += 1;
        }
        config_free(config);
    }
    print_message("%zu vectors as manuals print them, %zu derived\n", printed, derived);
    assert_true(printed >= 10 && derived >= PROFILES_LEAST);
}

/* A device with a heartbeat: good while it beats, stale when it stops, for every point. */
static size_t check_heartbeat(const struct config *config)
{
    static struct image image;
    const struct site *site = config->site;
    const struct site_device *device = &site->devices[0];
    const struct site_gate *beat = NULL;
    struct sample samples[POINTS_MOST];
    struct driver_memory *memory;
    struct driver_plan *planned;
    int64_t now_us = POLL_US;
    uint16_t *word;

    for (size_t g = 0; g < device->gate_count; g++)
        if (device->gates[g].kind == GATE_HEARTBEAT)
            beat = &device->gates[g];
    if (!beat)
        return 0;
    fill_image(&image, &config->profile->vectors[0]);
    word = &image.words[beat->at.space][beat->at.address];
    plan(site, &planned, &memory);
    for (int64_t ms = 0; ms < 3 * beat->within_ms; ms += device->poll_ms, now_us += 1000 * device->poll_ms) {
        (*word)++;
        image_ask_all(&(struct image_poll){&image, planned, memory, now_us, 0}, samples);
        assert_int_equal(samples[0].quality, QUALITY_GOOD);
    }
    for (int64_t ms = 0; ms < beat->within_ms + 2 * device->poll_ms;
         ms += device->poll_ms, now_us += 1000 * device->poll_ms)
        image_ask_all(&(struct image_poll){&image, planned, memory, now_us, 0}, samples);
    for (size_t i = 0; i < site->point_count; i++)
        if (samples[i].quality != QUALITY_STALE)
            fail_msg("%s: %s is %s without a heartbeat", config->profile->name, site->points[i].name,
                     quality_name(samples[i].quality));
    memory_destroy(memory);
    modbus_driver.plan_destroy(planned);
    return 1;
}

static void test_heartbeats(void **state)
{
    size_t beating = 0;

    (void)state;
    for (size_t i = 0; i < list.count; i++) {
        struct config *config = load_profile(list.names[i]);

        beating += check_heartbeat(config);
        config_free(config);
    }
    assert_true(beating >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_count), cmocka_unit_test(test_stated),
                                       cmocka_unit_test(test_vectors), cmocka_unit_test(test_heartbeats)};

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

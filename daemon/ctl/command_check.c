#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_write.h"
#include "base/text.h"
#include "config/budget.h"
#include "config/config.h"
#include "ctl/check_certificates.h"
#include "ctl/catalogue.h"
#include "model/site_record.h"
#include "rules/rules.h"

/* Rules of a pack for which the site has no points are no mistake; a misspelt name would look the same. */
static void print_left_out(const struct config *config)
{
    if (config->left_out_count == 0)
        return;
    (void)printf("%zu optional rules match no point here and are left out:", config->left_out_count);
    for (size_t i = 0; i < config->left_out_count; i++)
        (void)printf("%s %s", i ? "," : "", config->left_out[i]);
    (void)putchar('\n');
}

/* ---- certificates that end: warnings beside those of the configuration ---- */

static void print_certificate_cb(void *arg, const struct site_uplink *uplink, const char *text)
{
    size_t *count = arg;

    (void)fprintf(stderr, "%s: warning: %s\n", uplink->where, text);
    (*count)++;
}

static void write_certificate_cb(void *arg, const struct site_uplink *uplink, const char *text)
{
    struct jsonw *w = arg;
    const char *colon = strrchr(uplink->where, ':');
    const size_t length = colon ? (size_t)(colon - uplink->where) : strlen(uplink->where);

    jsonw_object_begin(w);
    jsonw_key_string(w, "severity", "warning");
    jsonw_key(w, "file");
    jsonw_string_n(w, uplink->where, length);
    jsonw_key_int(w, "line", colon ? strtol(colon + 1, NULL, 10) : 0);
    jsonw_key_int(w, "column", 1);
    jsonw_key_string(w, "text", text);
    jsonw_object_end(w);
}

static uint64_t record_memory(const struct site *site)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < site->device_count; i++)
        bytes += site_record_bytes(site, i);
    return bytes;
}

/* Who is asked at one instant. False: out of memory. */
static bool instants_json(const struct site *site, struct jsonw *w)
{
    struct budget_instants most;

    if (budget_instants(site, &most) != RG_OK)
        return false;
    jsonw_key(w, "instants");
    jsonw_object_begin(w);
    jsonw_key_int(w, "devices", most.devices);
    jsonw_key_int(w, "poll_ms", most.poll_ms);
    jsonw_key_int(w, "poll_offset_ms", most.poll_offset_ms);
    jsonw_object_end(w);
    return true;
}

static void instants_print(const struct site *site)
{
    struct budget_instants most;
    char period[32];

    if (budget_instants(site, &most) == RG_OK && most.devices > 1)
        (void)printf("%u devices are asked at one instant, every %s\n", most.devices,
                     text_format_duration(most.poll_ms, period));
}

static enum exit_status check_print_json(const struct config *config)
{
    enum exit_status status = config->site ? EXIT_DONE : EXIT_FAILED;
    struct jsonw w;

    jsonw_init(&w, 0);
    jsonw_object_begin(&w);
    jsonw_key_bool(&w, "valid", config->site != NULL);
    jsonw_key_string(&w, "sha256", config->sha256);
    jsonw_key(&w, "issues");
    jsonw_array_begin(&w);
    for (size_t i = 0; i < config->issue_count; i++) {
        const struct config_issue *issue = &config->issues[i];

        jsonw_object_begin(&w);
        jsonw_key_string(&w, "severity", issue->severity == CONFIG_ERROR ? "error" : "warning");
        jsonw_key_string(&w, "file", issue->file);
        jsonw_key_int(&w, "line", issue->line);
        jsonw_key_int(&w, "column", issue->column);
        jsonw_key_string(&w, "text", issue->text);
        jsonw_object_end(&w);
    }
    if (config->site)
        check_certificates(config->site, clock_wall_ms(), write_certificate_cb, &w);
    jsonw_array_end(&w);
    jsonw_key(&w, "left_out");
    jsonw_array_begin(&w);
    for (size_t i = 0; i < config->left_out_count; i++)
        jsonw_string(&w, config->left_out[i]);
    jsonw_array_end(&w);
    if (config->site)
        jsonw_key_int(&w, "rules_memory", (int64_t)rules_memory(config->site));
    if (config->site)
        jsonw_key_int(&w, "record_memory", (int64_t)record_memory(config->site));
    const bool told = !config->site || instants_json(config->site, &w);
    jsonw_object_end(&w);
    if (told && jsonw_error(&w) == RG_OK)
        (void)puts(w.text);
    else
        status = EXIT_FAILED;
    jsonw_free(&w);
    return status;
}

static enum exit_status run_check(const struct arguments *a)
{
    struct config *config = NULL;
    enum exit_status status = EXIT_DONE;

    if (config_load(a->operands[0], &config) != RG_OK) {
        (void)fputs("riskgatectl: out of memory\n", stderr);
        return EXIT_FAILED;
    }
    if (a->json) {
        status = check_print_json(config);
    } else {
        size_t warnings = config->warning_count;

        config_print(config, stderr);
        if (config->site) {
            check_certificates(config->site, clock_wall_ms(), print_certificate_cb, &warnings);
            (void)printf("%s is valid: %zu buses, %zu devices, %zu points, %zu rules, %zu areas, %zu uplinks",
                         a->operands[0], config->site->bus_count, config->site->device_count,
                         config->site->point_count, config->site->rule_count, config->site->area_count,
                         config->site->uplink_count);
            if (warnings > 0)
                (void)printf("; %zu warnings", warnings);
            (void)putchar('\n');
            (void)printf("rules, their windows and alarms take %.1f MiB of memory at most\n",
                         (double)rules_memory(config->site) / (1024 * 1024));
            if (record_memory(config->site) > 0)
                (void)printf(
                    "readings that are held back for alarms (`around_alarms`) take %.1f MiB at most\n",
                    (double)record_memory(config->site) / (1024 * 1024));
            instants_print(config->site);
            print_left_out(config);
        } else {
            (void)fprintf(stderr, "%s: %zu errors, %zu warnings\n", a->operands[0], config->error_count,
                          config->warning_count);
            status = EXIT_FAILED;
        }
    }
    config_free(config);
    return status;
}

static enum exit_status run_schema(const struct arguments *a)
{
    (void)a;
    config_write_schema(stdout);
    return EXIT_DONE;
}

static const struct command_option check_options[] = {
    COMMAND_JSON,
    COMMAND_NO_OPTION,
};

const struct command command_check = {
    .name = "check",
    .group = GROUP_OFFLINE,
    .synopsis = "FILE",
    .sentence = "check a configuration; every error with its place",
    .about = "Warns, too, where the polls asked for do not fit their bus, by how much, and of certificates "
             "that end.\n"
             "Ends with 1 when the configuration is not valid.\n",
    .options = check_options,
    .least = 1,
    .most = 1,
    .completes = COMPLETES_FILE,
    .run = run_check,
};

static const struct command_option schema_options[] = {COMMAND_NO_OPTION};

const struct command command_schema = {
    .name = "schema",
    .group = GROUP_OFFLINE,
    .synopsis = "",
    .sentence = "print the JSON Schema of the configuration, for editors",
    .options = schema_options,
    .run = run_schema,
};

/* What the engine takes, worked out before it is built: `check` tells it. What one of its parts takes when it is created
 * has its line here; tests/unit/test_rules_memory.c compares the sum with what is really asked for. */
#include "rules/engine.h"

static uint64_t of_names(uint64_t count)
{
    return hash_index_bytes((size_t)count);
}

/* Votes, and what arms rules or moves their limits: points and permits that others look at. */
static uint64_t of_watching(const struct site *site)
{
    uint64_t votes = 0, members = 0, own = 0, references = 0, guards = 0, permitted = 0, bytes;
    uint64_t points = site->point_count, permits = site->permit_count;

    for (size_t i = 0; i < site->rule_count; i++) {
        const struct site_rule *rule = &site->rules[i];
        uint64_t owners = rule->vote_need > 0 ? 1 : rule->point_count;

        votes += rule->vote_need > 0 ? 1 : 0;
        members += rule->vote_need > 0 ? rule->point_count : 0;
        own += condition_rule_follows(rule) ? rule->point_count : 0;
        guards += rule->guard.points ? owners : 0;
        permitted += rule->has_permit ? owners : 0;
        for (int level = LEVEL_BLUE; level < LEVEL_COUNT; level++)
            references += ((rule->above_of[level] ? 1u : 0u) + (rule->below_of[level] ? 1u : 0u)) *
                          (uint64_t)rule->point_count;
    }
    bytes = (votes + 1) * (sizeof(struct voting) + sizeof(uint32_t));
    bytes += (members + 1) * (sizeof(struct vote_member) + sizeof(char *));
    bytes += (own + 1) * sizeof(struct engine_conf);
    bytes += (2 * (points + 2) + references + guards) * sizeof(uint32_t);
    bytes += references + guards > 0 ? points * sizeof(struct known) : 0;
    bytes += (permits + 1) * sizeof(struct permit) + (permits + 2 + permitted) * sizeof(uint32_t);
    return bytes;
}

uint64_t rules_memory(const struct site *site)
{
    uint64_t watched,
        owners = site->device_count + site->output_count + site->uplink_count + doubts_count(site),
        bytes = sizeof(struct rules) + watched_memory(site, &watched);

    for (size_t i = 0; i < site->rule_count; i++)
        owners += site->rules[i].vote_need > 0 ? 1 : 0;
    owners += watched;
    bytes += site->device_count * sizeof(struct offline);
    bytes += owners * sizeof(uint32_t);
    bytes += windows_memory(site) + of_watching(site);
    bytes += of_names(site->rule_count) + of_names(site->point_count) + of_names(site->device_count) +
             of_names(site->output_count) + of_names(site->area_count);
    bytes += deadlines_memory(owners + site->permit_count + 1);
    bytes += (owners + ENGINE_ORPHANS) * sizeof(struct occurrence);
    bytes += owners * (sizeof(struct figures_owner) + sizeof(uint32_t));
    bytes += risk_memory(site) + doubts_memory(site);
    bytes += site->output_count * sizeof(struct follow_output);
    return bytes;
}

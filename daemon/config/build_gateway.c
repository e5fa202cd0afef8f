/* gateway and store: who this is, and where everything is kept. */
#include <string.h>

#include "config/build.h"
#include "config/fill.h"
#include "config/issue.h"
#include "config/uscc.h"

#define REGION_DIGITS 6 /* GB/T 2260 */

static void check_code(struct load *ld, const struct node *node, const char *code)
{
    char expected;

    switch (uscc_check(code, &expected)) {
    case USCC_GOOD:
        break;
    case USCC_BAD_LENGTH:
        issue_error(ld, node_place(node), "`code` must have %d characters, `%s` has %zu", USCC_LENGTH,
                    shown(code).text, strlen(code));
        break;
    case USCC_BAD_CHARACTER:
        issue_error(
            ld, node_place(node),
            "`code` holds a character that no social credit code has (0-9 and A-Z without I O S V Z): `%s`",
            shown(code).text);
        break;
    case USCC_BAD_CHECK:
        issue_error(
            ld, node_place(node),
            "`code`: the check character of `%s` does not fit; for the first 17 it is `%c` (GB 32100-2015)",
            code, expected);
        break;
    }
}

/* Written, but not as a mapping: reported already. */
static bool is_attempted(const struct load *ld)
{
    for (uint32_t i = 0; i < ld->source_count; i++) {
        const struct node *node = node_get(ld->sources[i].root, "gateway");

        if (node && !node_is_null(node))
            return true;
    }
    return false;
}

void build_gateway(struct build *b)
{
    struct site_gateway *gateway = &b->site->gateway;
    const struct node *map = b->maps[SECTION_GATEWAY];
    const struct node *enterprise = node_get(map, "enterprise");

    gateway->workers = -1;
    if (!map && !b->ld->incomplete && !is_attempted(b->ld))
        issue_error(b->ld, issue_file(0), "`gateway` is missing: who this gateway is");
    fill_map(b->ld, SECTION_GATEWAY, map, gateway);
    if (gateway->ent_code)
        check_code(b->ld, node_get(enterprise, "code"), gateway->ent_code);
    if (gateway->ent_region && (strlen(gateway->ent_region) != REGION_DIGITS ||
                                gateway->ent_region[strspn(gateway->ent_region, "0123456789")]))
        issue_error(b->ld, node_place(node_get(enterprise, "region")),
                    "`region` must have %d digits, not `%s`", REGION_DIGITS, gateway->ent_region);
}

void build_store(struct build *b)
{
    fill_map(b->ld, SECTION_STORE, b->maps[SECTION_STORE], &b->site->store);
}

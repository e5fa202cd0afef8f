/* LINK rg_config */
/* points: every message, with its place. */
#include "config_rows.h"

static const struct row rows[] = {
    {FRAME_POINT, "name: p",
     "8:9: error: a point needs exactly one of `coil`, `discrete`, `input`, `holding`, `register`\n"},
    {FRAME_POINT, "name: p, coil: 0, holding: 1",
     "8:28: error: `coil` and `holding` are both given; a point has exactly one of `coil`, `discrete`, "
     "`input`, `holding`, `register`\n"},
    {FRAME_POINT, "name: p.q, coil: 0",
     "8:16: error: `name` must not hold a dot, for a point is called device.point: `p.q`\n"},
    {FRAME_POINT, "name: p, coil: 65536", "8:25: error: `coil` must be 0 to 65535, not `65536`\n"},
    {FRAME_POINT, "name: p, coil: -1", "8:25: error: `coil` must be 0 to 65535, not `-1`\n"},
    {FRAME_POINT, "name: p, holding: 0", "8:9: error: `type` is missing in a point that is a register\n"},
    {FRAME_POINT, "name: p, holding: 0x1FFFF, type: u16",
     "8:28: error: `holding` must be 0 to 65535, not `0x1FFFF`\n"},
    {FRAME_POINT, "name: p, holding: 010, type: u16",
     "8:28: error: `holding`: `010` begins with 0, which some readers take for octal: write it without\n"},
    {FRAME_POINT, "name: p, coil: 0, type: u16", "8:34: error: a coil is a bool, not `u16`\n"},
    {FRAME_POINT, "name: p, discrete: 0, type: i16", "8:38: error: a discrete input is a bool, not `i16`\n"},
    {FRAME_POINT, "name: p, coil: 0, bit: 1",
     "8:28: error: `bit` means nothing for a coil or discrete input: it is one bit\n"},
    {FRAME_POINT, "name: p, coil: 0, mask: 1",
     "8:28: error: `mask` means nothing for a coil or discrete input: it is one bit\n"},
    {FRAME_POINT, "name: p, coil: 0, scale: 2, range: [0, 1]",
     "8:28: error: `scale` means nothing for a single bit\n"
     "8:38: error: `range` means nothing for a single bit\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u32",
     "8:9: error: `order` is missing: the order of the bytes of a point of type u32 is never guessed\n"},
    {FRAME_POINT, "name: p, holding: 0, type: f64",
     "8:9: error: `order` is missing: the order of the bytes of a point of type f64 is never guessed\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, order: ABCD",
     "8:42: error: `order` means nothing for type u16, which is one register or bit\n"},
    {FRAME_POINT, "name: p, coil: 0, order: ABCD",
     "8:28: error: `order` means nothing for type bool, which is one register or bit\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u32, order: ACBD",
     "8:49: error: `order` must be one of ABCD, CDAB, BADC, DCBA, not `ACBD`; did you mean `ABCD`?\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u8",
     "8:37: error: `type` must be one of bool, u16, i16, u32, i32, u64, i64, f32, f64, bcd16, bcd32, "
     "bytes8.8, not `u8`\n"},
    {FRAME_POINT, "name: p, holding: 0, type: bool",
     "8:37: error: a bool in a register needs `bit`: which of its 16 bits it is\n"},
    {FRAME_POINT, "name: p, holding: 0, bit: 16", "8:36: error: `bit` must be 0 to 15, not `16`\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, bit: 1, mask: 2",
     "8:50: error: `bit` and `mask` are both given; a point has one of them\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u32, order: ABCD, bit: 1",
     "8:55: error: `bit` is one of the 16 of a register: it needs `type: u16`, `type: bool` or none\n"},
    {FRAME_POINT, "name: p, holding: 0, type: f32, order: ABCD, mask: 1",
     "8:55: error: `mask` needs one of the types u16, i16, u32, i32\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, mask: 0x10000",
     "8:42: error: `mask` is wider than the 16 bits of its type\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, mask: 0",
     "8:48: error: `mask` must be 1 to 4294967295, not `0`\n"},
    {FRAME_POINT, "name: p, holding: 0, bit: 1, scale: 2",
     "8:39: error: `scale` means nothing for a single bit\n"},
    {FRAME_POINT, "name: p, holding: 65535, type: u32, order: ABCD",
     "8:9: error: type u32 at address 65535 ends beyond the last address, 65535\n"},
    {FRAME_POINT, "name: p, holding: 65533, type: u64, order: ABCD",
     "8:9: error: type u64 at address 65533 ends beyond the last address, 65535\n"},
    {FRAME_POINT, "name: p, register: 50001, type: u16",
     "8:29: error: `register` is 0xxxx, 1xxxx, 3xxxx or 4xxxx in five or six digits, from 1 on, not "
     "`50001`\n"},
    {FRAME_POINT, "name: p, register: 40000, type: u16",
     "8:29: error: `register` is 0xxxx, 1xxxx, 3xxxx or 4xxxx in five or six digits, from 1 on, not "
     "`40000`\n"},
    {FRAME_POINT, "name: p, register: 4001, type: u16",
     "8:29: error: `register` is 0xxxx, 1xxxx, 3xxxx or 4xxxx in five or six digits, from 1 on, not "
     "`4001`\n"},
    {FRAME_POINT, "name: p, register: 465537, type: u16",
     "8:29: error: `register` is 0xxxx, 1xxxx, 3xxxx or 4xxxx in five or six digits, from 1 on, not "
     "`465537`\n"},
    {FRAME_POINT, "name: p, register: 00001, type: u16", "8:42: error: a coil is a bool, not `u16`\n"},
    {FRAME_POINT, "name: p, register: 400011111, type: u16",
     "8:29: error: `register` is 0xxxx, 1xxxx, 3xxxx or 4xxxx in five or six digits, from 1 on, not "
     "`400011111`\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, scale: 0",
     "8:49: error: `scale` must not be 0: every value would be the same\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, scale: 1e999",
     "8:49: error: `scale`: `1e999` is too large a number\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, scale: \"0.1\"",
     "8:49: error: `scale` must be a number, not the text \"0.1\"\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, scale: 0.1x, offset: y",
     "8:49: error: `scale` must be a number, not `0.1x`\n"
     "8:63: error: `offset` must be a number, not `y`\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, offset: [1]",
     "8:42: error: `offset` must be a number, not a list\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, range: [1]",
     "8:49: error: `range` must be a list of two numbers, [least, most]\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, range: [5, 5]",
     "8:49: error: `range` is [least, most]: 5 is not less than 5\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, range: [a, ~]",
     "8:50: error: `range` must be a number, not `a`\n"
     "8:53: error: `range` must be a number, not nothing\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, range: 5",
     "8:49: error: `range` must be a list of two numbers, [least, most], not `5`\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, invalid: [65536]",
     "8:52: error: `invalid`: `65536` is no raw value of type u16\n"},
    {FRAME_POINT, "name: p, holding: 0, type: i16, invalid: [-32769]",
     "8:52: error: `invalid`: `-32769` is no raw value of type i16\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, invalid: [1.5]",
     "8:52: error: `invalid`: `1.5` is not a whole number\n"},
    {FRAME_POINT, "name: p, holding: 0, type: bcd16, invalid: [10000]",
     "8:54: error: `invalid`: `10000` is no raw value of type bcd16\n"},
    {FRAME_POINT, "name: p, holding: 0, type: f32, order: ABCD, invalid: [1e39]",
     "8:65: error: `invalid`: `1e39` is no raw value of type f32\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, invalid: [1, 2, 3, 4, 5, 6, 7, 8, 9]",
     "8:51: error: `invalid` holds at most 8 values\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, invalid: [x]",
     "8:52: error: `invalid` must be a number, not `x`\n"},
    {FRAME_POINT, "name: p, coil: 0, invalid: [0]",
     "8:28: error: `invalid` means nothing for a single bit\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, decimals_from: 3",
     "8:57: error: `decimals_from` must be a mapping, not `3`\n"},
    {FRAME_POINT, "name: p, coil: 0, unit: \"uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu\"",
     "8:34: error: `unit` is longer than 32 bytes\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, sacle: 2",
     "8:42: error: unknown key `sacle` in a point; did you mean `scale`?\n"},
};

static void test_point(void **state)
{
    (void)state;
    check_rows(rows, RG_COUNT(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_point)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

"""Functions of the expression language: what PostgreSQL's own operators would refuse or round otherwise.

Doubles: PostgreSQL fails where IEEE arithmetic goes on with infinity or zero, has no `%` and rounds half to even.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_PURE = "LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE"
_CATCHING = "LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL UNSAFE"  # a block with EXCEPTION is a subtransaction

_FUNCTIONS = [
    f"""
    CREATE FUNCTION ethogram.finite(x float8) RETURNS float8 {_PURE} AS $$
    BEGIN
      IF abs(x) < 'Infinity' THEN RETURN x; END IF;
      RAISE 'the number is not finite' USING ERRCODE = 'numeric_value_out_of_range';
    END $$
    """,
    f"""
    CREATE FUNCTION ethogram.plus(a float8, b float8) RETURNS float8 {_CATCHING} AS $$
    BEGIN
      IF abs(a) < 8e307 AND abs(b) < 8e307 THEN RETURN a + b; END IF;
      BEGIN
        RETURN a + b;
      EXCEPTION WHEN numeric_value_out_of_range THEN
        RETURN sign(a) * 'Infinity'::float8;
      END;
    END $$
    """,
    f"""
    CREATE FUNCTION ethogram.times(a float8, b float8) RETURNS float8 {_CATCHING} AS $$
    BEGIN
      IF (abs(a) BETWEEN 1e-150 AND 1e150 OR a = 0) AND (abs(b) BETWEEN 1e-150 AND 1e150 OR b = 0) THEN
        RETURN a * b;
      END IF;
      BEGIN
        RETURN a * b;
      EXCEPTION WHEN numeric_value_out_of_range THEN
        RETURN CASE WHEN abs(a) > 1 AND abs(b) > 1 THEN sign(a) * sign(b) * 'Infinity'::float8 ELSE 0 END;
      END;
    END $$
    """,
    f"""
    CREATE FUNCTION ethogram.over(a float8, b float8) RETURNS float8 {_CATCHING} AS $$
    BEGIN
      IF b = 0 THEN RETURN NULL; END IF;
      IF (abs(a) BETWEEN 1e-150 AND 1e150 OR a = 0) AND abs(b) BETWEEN 1e-150 AND 1e150 THEN RETURN a / b; END IF;
      BEGIN
        RETURN a / b;
      EXCEPTION WHEN numeric_value_out_of_range THEN
        RETURN CASE WHEN abs(b) < 1 THEN sign(a) * sign(b) * 'Infinity'::float8 ELSE 0 END;
      END;
    END $$
    """,
    # A double is m × 2^(e - 1075); the remainder of two is the remainder of whole numbers, times a power of two.
    f"""
    CREATE FUNCTION ethogram.remainder(a float8, b float8) RETURNS float8 {_PURE} AS $$
    DECLARE
      x bigint; y bigint; e int; f int; m bigint; n bigint;
    BEGIN
      IF b = 0 THEN RETURN NULL; END IF;
      IF NOT abs(a) < 'Infinity' OR b = 'NaN' THEN RETURN 'NaN'; END IF;
      IF abs(a) < abs(b) THEN RETURN a; END IF;
      x := ('x' || encode(float8send(abs(a)), 'hex'))::bit(64)::bigint;
      y := ('x' || encode(float8send(abs(b)), 'hex'))::bit(64)::bigint;
      e := greatest(x >> 52, 1);
      f := greatest(y >> 52, 1);
      m := (x & 4503599627370495) | CASE WHEN x >> 52 > 0 THEN 4503599627370496 ELSE 0 END;
      n := (y & 4503599627370495) | CASE WHEN y >> 52 > 0 THEN 4503599627370496 ELSE 0 END;
      m := mod(m * trunc(power(2::numeric, e - f)), n)::bigint;
      RETURN CASE WHEN m = 0 THEN 0 ELSE sign(a) * m::float8 * power(2::float8, f - 1075) END;
    END $$
    """,
    f"""
    CREATE FUNCTION ethogram.rounded(x float8, factor float8) RETURNS float8 {_PURE} AS $$
    DECLARE
      scaled float8 := CASE WHEN abs(x) < 1e290 THEN abs(x) * factor ELSE abs(ethogram.times(x, factor)) END;
    BEGIN
      IF NOT scaled < 'Infinity' THEN RETURN x; END IF;
      RETURN sign(x) * (floor(scaled) + (scaled - floor(scaled) >= 0.5)::int) / factor;
    END $$
    """,
    # Doubles in the order of their values among exact integers: below 2^53 and beyond 2^63 their text does.
    f"""
    CREATE FUNCTION ethogram.exact(x float8) RETURNS numeric {_PURE} AS $$
    BEGIN
      IF abs(x) BETWEEN 9007199254740992 AND 9223372036854775808 THEN RETURN (x / 2)::bigint::numeric * 2; END IF;
      RETURN x::text::numeric;
    END $$
    """,
    # The shortest decimal of the double, rounded half away from zero. A tie of up to 15 digits is its double's shortest
    # decimal, so comparing with that double decides. Beyond, the text does; from 2^54 on it may have a digit too many,
    # because PostgreSQL takes no decimal that lies exactly between two doubles.
    f"""
    CREATE FUNCTION ethogram.decimal_of(x float8, scale int) RETURNS numeric {_PURE} AS $$
    DECLARE
      power float8; whole float8; exact numeric; shorter numeric;
    BEGIN
      IF NOT abs(x) < 1e21 THEN
        RAISE 'decimal overflow' USING ERRCODE = 'numeric_value_out_of_range';
      END IF;
      power := ('1e' || scale)::float8;
      IF abs(x) < 9e13 / power THEN
        whole := floor(CASE WHEN abs(x) < 1e-200 THEN 0 ELSE abs(x) * power END);
        whole := whole + (abs(x) >= (2 * whole + 1) / (2 * power))::int;
        RETURN sign(x)::numeric * whole::bigint * ('1e-' || scale)::numeric;
      ELSIF abs(x) < 18014398509481984 THEN
        RETURN round(x::text::numeric, scale);
      END IF;
      exact := CASE WHEN abs(x) < 9e18 THEN x::bigint::numeric ELSE (x / 1024)::bigint::numeric * 1024 END;
      FOR digits IN REVERSE 5..1 LOOP
        shorter := round(exact, -digits);
        IF shorter::float8 = x THEN RETURN shorter; END IF;
      END LOOP;
      RETURN exact;
    END $$
    """,
    f"""
    CREATE FUNCTION ethogram.integer_of(x text) RETURNS bigint {_PURE} AS $$
    DECLARE
      read numeric;
    BEGIN
      IF x !~ '^[+-]?[0-9]+$' OR length(ltrim(x, '+-0')) > 19 THEN RETURN NULL; END IF;
      read := (CASE WHEN starts_with(x, '-') THEN '-0' ELSE '0' END || ltrim(x, '+-0'))::numeric;
      RETURN CASE WHEN read BETWEEN -9223372036854775808 AND 9223372036854775807 THEN read::bigint END;
    END $$
    """,
    f"""
    CREATE FUNCTION ethogram.number_of(x text) RETURNS float8 {_CATCHING} AS $$
    DECLARE
      parts text[]; exponent numeric;
    BEGIN
      IF x !~ '^[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]+)?$' THEN RETURN NULL; END IF;
      BEGIN
        RETURN x::float8;
      EXCEPTION WHEN numeric_value_out_of_range THEN
        -- Too large is no number; too small is 0. Which it is, the exponent of the first digit that is not 0 says.
        parts := regexp_match(x, '^[+-]?0*([0-9]*)\\.?(0*)[0-9]*[eE]?([+-]?[0-9]*)$');
        exponent := coalesce(nullif(parts[3], ''), '0')::numeric
          + CASE WHEN parts[1] = '' THEN -1 - length(parts[2]) ELSE length(parts[1]) - 1 END;
        RETURN CASE WHEN exponent < 0 THEN 0 END;
      END;
    END $$
    """,
    # Digits behind the first that is dropped change nothing, and PostgreSQL reads no more than 16383 of them.
    f"""
    CREATE FUNCTION ethogram.decimal_of(x text, scale int) RETURNS numeric {_PURE} AS $$
    DECLARE
      parts text[]; read numeric;
    BEGIN
      IF x !~ '^[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)$' THEN RETURN NULL; END IF;
      parts := regexp_match(x, '^([+-]?)0*([0-9]*)\\.?([0-9]*)$');
      IF length(parts[2]) > 20 THEN RETURN NULL; END IF;
      read := round((parts[1] || '0' || parts[2] || '.' || left(parts[3], scale + 1) || '0')::numeric, scale);
      RETURN CASE WHEN abs(read) < 1e20 THEN read END;
    END $$
    """,
    f"""
    CREATE FUNCTION ethogram.day_of(year bigint, month bigint, day bigint) RETURNS date {_PURE} AS $$
    BEGIN
      IF year BETWEEN 1 AND 9999 AND month BETWEEN 1 AND 12 AND day BETWEEN 1 AND 31 THEN
        RETURN make_date(year::int, month::int, day::int);
      END IF;
      RAISE 'there is no day %-%-%', year, month, day USING ERRCODE = 'datetime_field_overflow';
    END $$
    """,
    *(
        f"""
        CREATE FUNCTION ethogram.days_later(moment {kind}, days bigint) RETURNS {kind} {_PURE} AS $$
        DECLARE
          later {kind};
        BEGIN
          IF days BETWEEN -4000000 AND 4000000 THEN
            later := moment + {step};
            IF later >= '0001-01-01' AND later < '10000-01-01' THEN RETURN later; END IF;
          END IF;
          RAISE 'the day is out of range' USING ERRCODE = 'datetime_field_overflow';
        END $$
        """
        for kind, step in (("date", "days::int"), ("timestamp", "make_interval(days => days::int)"))
    ),
    # Volatile, so that the planner does not meet the failure before the row does.
    """
    CREATE FUNCTION ethogram.fail(said text) RETURNS text LANGUAGE plpgsql VOLATILE PARALLEL SAFE AS $$
    BEGIN
      RAISE '%', said USING ERRCODE = 'data_exception';
    END $$
    """,
]


def upgrade() -> None:
    """Functions of the expression language."""
    for function in _FUNCTIONS:
        op.execute(function.replace(":", "\\:"))

from ethogram import Source, event, reference

# The university counts days from a presentation's start, which it does not publish. Assumed: J starts on 1 October of
# its year, B on 1 February. Every OULAD time below rests on this.
start = "make_date(integer(substring(code_presentation, 1, 4)), if(ends_with(code_presentation, 'J'), 10, 2), 1)"
enrolment = "concat(code_module, '_', code_presentation, '_', text(id_student))"

oulad_clicks = Source(
    "oulad_clicks",
    dataset="oulad",
    rows="student_vle/*.parquet",
    contract="contracts/sources/oulad_clicks.yaml",
    brief="A student's clicks of a day on a piece of material; starts assumed on 1 February and 1 October.",
    time="add_days(" + start + ", date)",
    known_after="1d",
    channel="vle",
    joins=[
        reference("vle.parquet", on=["id_site", "code_module", "code_presentation"], columns=["activity_type"]),
    ],
    events=[
        event(
            "learning.click",
            enrolment=enrolment,
            student="id_student",
            activity="activity_type",
            clicks="sum_click",
            site_id="text(id_site)",
        ),
    ],
)

oulad_registrations = Source(
    "oulad_registrations",
    dataset="oulad",
    rows="student_registration.parquet",
    contract="contracts/sources/oulad_registrations.yaml",
    brief="Registrations for a presentation and withdrawals from it, each on its own day from the assumed start.",
    time="add_days(" + start + ", date_registration)",
    known_after="1d",
    joins=[
        reference(
            "student_info.parquet",
            on=["code_module", "code_presentation", "id_student"],
            columns=["num_of_prev_attempts", "studied_credits"],
        ),
    ],
    events=[
        event(
            "learning.registered",
            where="date_registration is not null",
            enrolment=enrolment,
            student="id_student",
            module="code_module",
            presentation="code_presentation",
            previous_attempts="num_of_prev_attempts",
            credits="studied_credits",
        ),
        event(
            "learning.withdrew",
            where="date_unregistration is not null",
            time="add_days(" + start + ", date_unregistration)",
            enrolment=enrolment,
            student="id_student",
            module="code_module",
            presentation="code_presentation",
        ),
    ],
)

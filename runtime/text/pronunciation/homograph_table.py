"""Words that are spelled alike and said differently: the pronunciation of each form, in the model's symbols."""

from __future__ import annotations

_ROWS = """
    abstract    noun=ˈæbstɹækt      verb=əbstɹˈækt
    absent      noun=ˈæbsənt        verb=əbsˈɛnt
    abuse       noun=əbjˈus         verb=əbjˈuz
    addict      noun=ˈædɪkt         verb=ədˈɪkt
    advocate    noun=ˈædvəkɪt       verb=ˈædvəkˌAt
    affiliate   noun=əfˈɪliɪt       verb=əfˈɪliˌAt
    aggregate   noun=ˈæɡɹəɡɪt       verb=ˈæɡɹəɡˌAt
    ally        noun=ˈælI           verb=əlˈI
    alternate   noun=ˈɔltəɹnɪt      verb=ˈɔltəɹnˌAt
    animate     noun=ˈænəmɪt        verb=ˈænəmˌAt
    appropriate noun=əpɹˈOpɹiɪt     verb=əpɹˈOpɹiˌAt
    approximate noun=əpɹˈɑksəmɪt    verb=əpɹˈɑksəmˌAt
    articulate  noun=ɑɹtˈɪkjəlɪt    verb=ɑɹtˈɪkjəlˌAt
    associate   noun=əsˈOʃiɪt       verb=əsˈOʃiˌAt
    attribute   noun=ˈætɹɪbjˌut     verb=ətɹˈɪbjut
    attributes  noun=ˈætɹɪbjˌuts    verb=ətɹˈɪbjuts
    bow         weapon=bˈO          bend=bˈW
    bows        weapon=bˈOz         bend=bˈWz
    bass        music=bˈAs          fish=bˈæs
    close       near=klˈOs          shut=klˈOz
    combat      noun=kˈɑmbæt        verb=kəmbˈæt
    compact     noun=kˈɑmpækt       verb=kəmpˈækt
    compound    noun=kˈɑmpWnd       verb=kəmpˈWnd
    compounds   noun=kˈɑmpWndz      verb=kəmpˈWndz
    compress    noun=kˈɑmpɹɛs       verb=kəmpɹˈɛs
    conduct     noun=kˈɑndʌkt       verb=kəndˈʌkt
    conflict    noun=kˈɑnflɪkt      verb=kənflˈɪkt
    conflicts   noun=kˈɑnflɪkts     verb=kənflˈɪkts
    console     noun=kˈɑnsOl        verb=kənsˈOl
    construct   noun=kˈɑnstɹʌkt     verb=kənstɹˈʌkt
    content     noun=kˈɑntɛnt       verb=kəntˈɛnt
    contest     noun=kˈɑntɛst       verb=kəntˈɛst
    contract    noun=kˈɑntɹˌækt     verb=kəntɹˈækt
    contracts   noun=kˈɑntɹˌækts    verb=kəntɹˈækts
    contrast    noun=kˈɑntɹæst      verb=kəntɹˈæst
    contrasts   noun=kˈɑntɹæsts     verb=kəntɹˈæsts
    converse    noun=kˈɑnvəɹs       verb=kənvˈɜɹs
    convert     noun=kˈɑnvəɹt       verb=kənvˈɜɹt
    converts    noun=kˈɑnvəɹts      verb=kənvˈɜɹts
    convict     noun=kˈɑnvɪkt       verb=kənvˈɪkt
    convicts    noun=kˈɑnvɪkts      verb=kənvˈɪkts
    coordinate  noun=kOˈɔɹdɪnɪt     verb=kOˈɔɹdɪnˌAt
    coordinates noun=kOˈɔɹdɪnɪts    verb=kOˈɔɹdɪnˌAts
    decrease    noun=dˈikɹˌis       verb=dɪkɹˈis
    decreases   noun=dˈikɹˌisɪz     verb=dɪkɹˈisɪz
    defect      noun=dˈifɛkt        verb=dɪfˈɛkt
    defects     noun=dˈifɛkts       verb=dɪfˈɛkts
    degenerate  noun=dɪʤˈɛnəɹɪt     verb=dɪʤˈɛnəɹˌAt
    delegate    noun=dˈɛləɡɪt       verb=dˈɛləɡˌAt
    delegates   noun=dˈɛləɡɪts      verb=dˈɛləɡˌAts
    deliberate  noun=dɪlˈɪbəɹɪt     verb=dɪlˈɪbəɹˌAt
    desert      noun=dˈɛzəɹt        verb=dɪzˈɜɹt
    deserts     noun=dˈɛzəɹts       verb=dɪzˈɜɹts
    desolate    noun=dˈɛsəlɪt       verb=dˈɛsəlˌAt
    diffuse     noun=dɪfjˈus        verb=dɪfjˈuz
    digest      noun=dˈIʤɛst        verb=dIʤˈɛst
    discharge   noun=dˈɪsʧɑɹʤ       verb=dɪsʧˈɑɹʤ
    discount    noun=dˈɪskWnt       verb=dɪskˈWnt
    dove        bird=dˈʌv           dive=dˈOv
    duplicate   noun=dˈuplɪkɪt      verb=dˈuplɪkˌAt
    duplicates  noun=dˈuplɪkɪts     verb=dˈuplɪkˌAts
    elaborate   noun=ɪlˈæbəɹɪt      verb=ɪlˈæbəɹˌAt
    entrance    noun=ˈɛntɹəns       verb=ɛntɹˈæns
    escort      noun=ˈɛskɔɹt        verb=ɛskˈɔɹt
    estimate    noun=ˈɛstɪmɪt       verb=ˈɛstɪmˌAt
    estimates   noun=ˈɛstɪmɪts      verb=ˈɛstɪmˌAts
    excuse      noun=ɪkskjˈus       verb=ɪkskjˈuz
    excuses     noun=ɪkskjˈusɪz     verb=ɪkskjˈuzɪz
    exploit     noun=ˈɛksplYt       verb=ɪksplˈYt
    exploits    noun=ˈɛksplYts      verb=ɪksplˈYts
    export      noun=ˈɛkspɔɹt       verb=ɪkspˈɔɹt
    exports     noun=ˈɛkspɔɹts      verb=ɪkspˈɔɹts
    extract     noun=ˈɛkstɹækt      verb=ɪkstɹˈækt
    extracts    noun=ˈɛkstɹækts     verb=ɪkstɹˈækts
    ferment     noun=fˈɜɹmɛnt       verb=fəɹmˈɛnt
    fragment    noun=fɹˈæɡmənt      verb=fɹæɡmˈɛnt
    frequent    noun=fɹˈikwənt      verb=fɹikwˈɛnt
    graduate    noun=ɡɹˈæʤuɪt       verb=ɡɹˈæʤuˌAt
    graduates   noun=ɡɹˈæʤuɪts      verb=ɡɹˈæʤuˌAts
    house       noun=hˈWs           verb=hˈWz
    impact      noun=ˈɪmpækt        verb=ɪmpˈækt
    implant     noun=ˈɪmplænt       verb=ɪmplˈænt
    import      noun=ˈɪmpɔɹt        verb=ɪmpˈɔɹt
    imports     noun=ˈɪmpɔɹts       verb=ɪmpˈɔɹts
    imprint     noun=ˈɪmpɹɪnt       verb=ɪmpɹˈɪnt
    incense     noun=ˈɪnsɛns        verb=ɪnsˈɛns
    incline     noun=ˈɪŋklIn        verb=ɪŋklˈIn
    increase    noun=ˈɪŋkɹis        verb=ɪŋkɹˈis
    increases   noun=ˈɪŋkɹisɪz      verb=ɪŋkɹˈisɪz
    initiate    noun=ɪnˈɪʃiɪt       verb=ɪnˈɪʃiˌAt
    insert      noun=ˈɪnsəɹt        verb=ɪnsˈɜɹt
    inserts     noun=ˈɪnsəɹts       verb=ɪnsˈɜɹts
    insult      noun=ˈɪnsʌlt        verb=ɪnsˈʌlt
    insults     noun=ˈɪnsʌlts       verb=ɪnsˈʌlts
    intern      noun=ˈɪntəɹn        verb=ɪntˈɜɹn
    intimate    noun=ˈɪntɪmɪt       verb=ˈɪntɪmˌAt
    invalid     noun=ˈɪnvəlɪd       verb=ɪnvˈælɪd
    invite      noun=ˈɪnvIt         verb=ɪnvˈIt
    lead        guide=lˈid          metal=lˈɛd
    live        verb=lˈɪv           adjective=lˈIv
    lives       verb=lˈɪvz          noun=lˈIvz
    minute      time=mˈɪnɪt         tiny=mInjˈut
    misuse      noun=mɪsjˈus        verb=mɪsjˈuz
    moderate    noun=mˈɑdəɹɪt       verb=mˈɑdəɹˌAt
    mouth       noun=mˈWθ           verb=mˈWð
    object      noun=ˈɑbʤɛkt        verb=əbʤˈɛkt
    objects     noun=ˈɑbʤɛkts       verb=əbʤˈɛkts
    perfect     noun=pˈɜɹfɛkt       verb=pəɹfˈɛkt
    perfume     noun=pˈɜɹfjum       verb=pəɹfjˈum
    permit      noun=pˈɜɹmɪt        verb=pəɹmˈɪt
    permits     noun=pˈɜɹmɪts       verb=pəɹmˈɪts
    pervert     noun=pˈɜɹvəɹt       verb=pəɹvˈɜɹt
    polish      nation=pˈOlɪʃ       shine=pˈɑlɪʃ
    precipitate noun=pɹɪsˈɪpɪtɪt    verb=pɹɪsˈɪpɪtˌAt
    predicate   noun=pɹˈɛdɪkɪt      verb=pɹˈɛdɪkˌAt
    present     noun=pɹˈɛzənt       verb=pɹɪzˈɛnt
    presents    noun=pɹˈɛzənts      verb=pɹɪzˈɛnts
    proceeds    noun=pɹˈOsidz       verb=pɹəsˈidz
    produce     noun=pɹˈOdus        verb=pɹədˈus
    progress    noun=pɹˈɑɡɹɛs       verb=pɹəɡɹˈɛs
    project     noun=pɹˈɑʤɛkt       verb=pɹəʤˈɛkt
    projects    noun=pɹˈɑʤɛkts      verb=pɹəʤˈɛkts
    protest     noun=pɹˈOtɛst       verb=pɹətˈɛst
    protests    noun=pɹˈOtɛsts      verb=pɹətˈɛsts
    read        now=ɹˈid            past=ɹˈɛd
    reread      now=ɹˌiɹˈid         past=ɹˌiɹˈɛd
    misread     now=mɪsɹˈid         past=mɪsɹˈɛd
    rebel       noun=ɹˈɛbəl         verb=ɹɪbˈɛl
    rebels      noun=ɹˈɛbəlz        verb=ɹɪbˈɛlz
    recall      noun=ɹˈikɔl         verb=ɹɪkˈɔl
    record      noun=ɹˈɛkəɹd        verb=ɹɪkˈɔɹd
    records     noun=ɹˈɛkəɹdz       verb=ɹɪkˈɔɹdz
    recount     noun=ɹˈikWnt        verb=ɹɪkˈWnt
    refill      noun=ɹˈifɪl         verb=ɹifˈɪl
    refund      noun=ɹˈifˌʌnd       verb=ɹɪfˈʌnd
    refuse      noun=ɹˈɛfjus        verb=ɹɪfjˈuz
    reject      noun=ɹˈiʤɛkt        verb=ɹɪʤˈɛkt
    rejects     noun=ɹˈiʤɛkts       verb=ɹɪʤˈɛkts
    relay       noun=ɹˈilˌA         verb=ɹɪlˈA
    replay      noun=ɹˈiplA         verb=ɹiplˈA
    reset       noun=ɹˈisɛt         verb=ɹisˈɛt
    resume      noun=ɹˈɛzəmˌA       verb=ɹɪzˈum
    rewrite     noun=ɹˈiɹIt         verb=ɹiɹˈIt
    row         line=ɹˈO            quarrel=ɹˈW
    segment     noun=sˈɛɡmənt       verb=sɛɡmˈɛnt
    separate    noun=sˈɛpəɹɪt       verb=sˈɛpəɹˌAt
    separates   noun=sˈɛpəɹɪts      verb=sˈɛpəɹˌAts
    sow         seed=sˈO            pig=sˈW
    subject     noun=sˈʌbʤɪkt       verb=səbʤˈɛkt
    subjects    noun=sˈʌbʤɪkts      verb=səbʤˈɛkts
    subordinate noun=səbˈɔɹdənɪt    verb=səbˈɔɹdənˌAt
    survey      noun=sˈɜɹvˌA        verb=səɹvˈA
    surveys     noun=sˈɜɹvˌAz       verb=səɹvˈAz
    suspect     noun=sˈʌspɛkt       verb=səspˈɛkt
    suspects    noun=sˈʌspɛkts      verb=səspˈɛkts
    syndicate   noun=sˈɪndɪkɪt      verb=sˈɪndɪkˌAt
    tear        eye=tˈɪɹ            rip=tˈɛɹ
    tears       eye=tˈɪɹz           rip=tˈɛɹz
    torment     noun=tˈɔɹmɛnt       verb=tɔɹmˈɛnt
    transfer    noun=tɹˈænsfəɹ      verb=tɹænsfˈɜɹ
    transfers   noun=tɹˈænsfəɹz     verb=tɹænsfˈɜɹz
    transform   noun=tɹˈænsfɔɹm     verb=tɹænsfˈɔɹm
    transplant  noun=tɹˈænsplænt    verb=tɹænsplˈænt
    transport   noun=tɹˈænspɔɹt     verb=tɹænspˈɔɹt
    traverse    noun=tɹˈævəɹs       verb=tɹəvˈɜɹs
    update      noun=ˈʌpdˌAt        verb=ʌpdˈAt
    upgrade     noun=ˈʌpɡɹˌAd       verb=ʌpɡɹˈAd
    upset       noun=ˈʌpsɛt         verb=ʌpsˈɛt
    use         noun=jˈus           verb=jˈuz
    uses        noun=jˈusɪz         verb=jˈuzɪz
    used        employed=jˈuzd      accustomed=jˈust
    wind        air=wˈɪnd           turn=wˈInd
    winds       air=wˈɪndz          turn=wˈIndz
    wound       injury=wˈund        turned=wˈWnd
    learned     verb=lˈɜɹnd         adjective=lˈɜɹnɪd
    aged        verb=ˈAʤd           adjective=ˈAʤɪd
    """


def _read(rows: str) -> dict[str, dict[str, str]]:
    table: dict[str, dict[str, str]] = {}
    for row in rows.split("\n"):
        if row.strip():
            word, *forms = row.split()
            table[word] = dict(form.split("=") for form in forms)
    return table


HOMOGRAPHS = _read(_ROWS)
"""Word to form to phonemes. "noun" stands for adjectives too, where both are said alike."""
_VERB_LIST = """
    animate compress construct converse convert converts coordinate diffuse exploit ferment incline increase increases
    initiate insert
    invalid invite permit pervert precipitate produce recall recount refill refuse reject rejects replay reset resume
    rewrite torment
    transfer transfers transform transplant transport traverse upset
    """
VERB_BY_DEFAULT = frozenset(_VERB_LIST.split())
"""Words that are said as verbs are where nothing else decides."""

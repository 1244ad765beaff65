"""Everyday words of up to five letters: in capitals they are emphasis, not initialisms."""

_LIST = """
    abort about above absent act add admin adult after again age agent ago ah aha ahead air aisle alarm alert alive all
    allow alone along alpha also am amber among amount an and angle angry ankle any apart apply arc are area arena arm
    armed as ash aside ask at ate attic audio avoid await award aware away awe awful axe baby back bad bag ball bank base
    batch bay be beach beam been beep begin being bell below belt bench best bid big bike bird bit black block blue body
    bog bolt bomb bonus book boost boot bot both bow box boy brain brake brand brave bread break brief bring brush bud bug
    build built bun burn bus but buy buzz by bytes cab cabin cable cache cake call calls calm came camp can car card care
    cargo case cat cause cell chain chair chase cheap check chest chief child chunk city claim class clean clear click
    cliff climb clip clone close cloth cloud club coach coast coat cob code codes cog coin cold come cool cop copy core
    corn cost cot could count court cow crane crash crazy cream crew crime cross crowd cub cure curve cut cycle dad daily
    dam dance dark data date day days dead deal debt decay deep delay demo den deny depth desk dial did die diet dig dim
    dip dirt dish disk dive do dock does dog doing done door dose dot doubt down draft drain drama draw drawn draws dream
    dress drift drill drink drive drone drop drum dry dual dub duct dull dump dust duty dwelt each early earth ease east
    easy eat eats edge edit eight elbow elect elite else empty enact end ends enemy enjoy enter epoch equal erase error
    even event ever every evil exact exit extra eye face fact fade fail fails faint faith fake fall fame fancy far fast
    fault fear fed feed feel feet fence ferry fever few fewer fiber fifty fight file files fill film final find fine fire
    first fish five fix flag flame flap flash flat fleet flip float flood floor flour flow fluid fly foam focus fog fold
    food foot for force forty found four fox frame free fresh from front frost fruit fuel full fun fur fuse gain game gap
    gas gate gauge gave gear gel gem get ghost giant gift girl git give glad glass globe glove glue go goal goes gold gone
    good gosh got grab grade grain grand grant graph grass gray great green grip gross group grow guard guess guest guide
    gum guru gut guy guys gyro ha had half hall halt hand hang happy hard harm has hatch hate haul have he head heal hear
    heart heat heavy heel hello help hen her here hers hey hi hid high hill him hint hip his hit hmm hoist hold holds hole
    home honey honk hook hop hope horn horse hose hot hotel hour hours house how hub huge huh hum human humid hunt hurry
    hurt hut ice idea idle if image in inch index ink inn inner input into is issue its ivy jab jack jam jar jars jet job
    jog join joint joy judge jug juice jump just keep keeps kept key keys kick kid kids kill kind king kiss kit knee knife
    knob knock know known knows lab label lad lady lake lamp land lane lap large last late later laugh law layer lazy lead
    leaf leak lean learn least leave left leg len lens less let level lever lid lie life lift light like limit line link
    lion list lists lit live load lob lobby local lock log logic long look looks loop loops loose lose loss lost lot loud
    love low lower luck lunch mad made magic mail main major make makes man many map march mark mask mat match may mayor
    me meal mean meat media meet men menu merge mess met metal meter mid might milk mill mind mine minor mint miss mix mob
    mode model money month moon mop more most motor mount mouse mouth move movie much mud mug music must my nail name
    names nap nats near need needs nerve nest never new newer news next nice night nine no nod nodes noise none nope north
    not note notes now nun nurse oar oat ocean of off offer offline often oh oil old on once one ones onion online only
    onto oops open opt or orb orbit order ore organ other ouch ought our ours out outer over owe owl own owner oxide pack
    pad page paid pain pair pal pan panel panic paper park part parts party pass past pat patch path pause paw pay pea
    peace peak pedal peg pep per phase phone photo piano pick pie piece pilot pinch pipe pit pitch place plain plan plane
    plant plate play plug pod point pole pool poor pop port pose post pound power press price pride prime print probe
    proof proud pub pull pulse pump pun punch pure purge push put queen query queue quick quiet quit quite quota race
    radio rag rail rain rainy raise ramp ran range rapid rate ratio reach read reads ready real rear red relay reply reset
    resin rest rich rid ride right rigid rim ring rinse rip rise risky rival river road roast robot rock rocky role roll
    roof room rope rot rotor rough round route rows royal rug rule run runs rural rush rye sad safe safer sag said salad
    sale same sap save saves saw say says scale scan scare scene score scrap scrub sea seal seat see seed seem seen self
    sell send sense sent serve set setup seven sew shade shaft shake shall shape share sharp she shelf shell shift shine
    ship shirt shock shop shops shore short shot shout show shut side sight sign silly sin since sing sip siren sit six
    sixty size sizes ski skid skill skin skip sky sleep slept slide slip slope slow small smart smell smoke smooth snack
    snow so sob soft solar sold solid solve some song soon sorry sound south space spare spark speak speed spike spill
    spin split spoon sport spray spread spy squad stack staff stage stair stale stall stamp stand star start state stay
    stays steam steel steep steer step steps stick stiff still stock stone stop stops storm story stove strap straw strip
    stuck study style sub such sugar suite sum sun sunny super sure surge swap sweat sweep sweet swim swing switch tab
    table tag tail take taken takes talk tall tan tank tap tape tar task tasks taste tax team tear tell temp ten tend tent
    test tests text texts than thank that the theft their them theme then there these they thick thief thin thing think
    third this those thou three threw tight tile tilt time timer times tiny tip tire tired title to toast today todo token
    told ton tone too took tool tooth top torch total touch tow tower town toxic trace track trade trail train trap trash
    tray treat tree trial tribe trick trim trip truck true trunk trust truth try tub tube tug tune turbo turn turns twice
    twin twist two type types ugly ultra under unify union unit unite units unity unlit unsafe until up upon upper upset
    urban urge urine urn usage use used user usual vague valid value valve van vapor vat vault very vet video view vinyl
    virus visit vital vocal voice void volt vote voter vow vowel wagon waist wait waits wake walk wall want war warm was
    wash waste watch water wave wax way we weak weed week weigh weird weld well went were west wet what wheel when where
    which while whip white who whole whose why wide wife wig wild will win wind wing wipe wire wish wit witch with woe wok
    woman women won wood word words work works world worse worst worth would wow wrap wreck wrist write wrong yam yard yay
    yeah year yell yep yes yet yield you young your yours zap zero zip zone zoo
"""
COMMON_WORDS = frozenset(_LIST.split())

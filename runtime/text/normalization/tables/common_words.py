"""Everyday words of up to five letters: in capitals they are emphasis, not initialisms."""

_LIST = """
    about above act add after again age ago ahead air alarm alert all allow alone also am among an and angry any
    apply are area arm as ask at avoid away baby back bad bag ball base be been begin below best big bit black
    block blue body book both box boy break bring build bus but buy by call came can car card care case cat check
    child city clean clear click climb close code cold come cool could cut dad dance dark data date day days dead
    deep did die do does dog done door down draw drink drive drop dry each early earth east easy eat edit eight
    else empty end enemy enter error even ever every exit extra eye face fact fail fall far fast fear feel feet
    few fight file fill final find fine fire first five fix floor fly food foot for force four free from front
    full fun game gas gate gave get gift girl give glad go goal goes gold gone good got great green grow guy had
    half hall hand happy hard has hate have he head hear heart heat heavy help her here hey high hill him his hit
    hold hole home hope hot hour house how huge human hurt ice idea if in input into is issue its job join joy
    jump just keep key kick kid kids kill kind king know lab land large last late later laugh law lead learn least
    leave left leg less let level lie life light like line list live load lock long look lose loss lost lot love
    low luck mad made main make man many map mark may me mean meet men menu met might mind mine miss mode model
    money month moon more most motor mouth move much music must my name near need never new news next nice night
    nine no noise none north not note notes now of off oh old on once one only open or order other our out over
    own page paid pain paper part pass past pause pay peace phone pick piece place plan play point poor power
    press print pull push put quick quiet quite race rain ran rate reach read ready real red reset rest rich ride
    right ring rise road rock role room rule run sad safe said sale same save saw say sea seat see seem seen sell
    send sense sent set seven shall she ship shop short shot show shut side sign since sing sit six size skip sky
    sleep slow small smart so soft sold some song soon sorry sound south space speak speed spin stand star start
    state stay step still stone stop story such sun super sure table take talk task tax team tell ten test text
    than thank that the their them then there these they thing think third this those three time to today todo
    told tone too took tool top total touch town tree trip true trust try turn twice two ugly under until up upon
    use used user value very view visit voice vote wait wake walk wall want war warm was watch water way we week
    well went were west what wheel when where which while white who whole whose why wide wife will win wind wish
    with woman women won wood word words work world worse worst worth would wow write wrong yeah year yes yet you
    young your yours zero zone
"""
COMMON_WORDS = frozenset(_LIST.split())

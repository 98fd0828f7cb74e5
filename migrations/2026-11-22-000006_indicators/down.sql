drop table indicators;
